import java.io.FileOutputStream;
import java.io.FileDescriptor;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The workload of benchmarks/peers/workload.py on Kafka Streams: one store of subjects and one of
 * partials, with changelogs and record caches, actions to a topic.
 *
 * Arguments: broker, input topic, output topic (and application id), records, processing guarantee,
 * `memory` or `rocksdb`, threads, state folder, layout of an entry, layout of a deal.
 *
 * Avro is read by hand, along the layouts: quicker than Avro's own library, in this peer's favour.
 */
public final class StreamsPeer {
    private static final int SINGLE_OBJECT_HEADER = 10;
    private static final long HOUR_MS = 3_600_000L;
    private static final int ACTION_EVERY = 50;

    /** Reads the fields of one Avro record in order. */
    static final class Layout {
        private final String[] types;
        private final Map<String, Integer> places = new HashMap<>();

        Layout(String text) {
            String[] fields = text.split(",");
            types = new String[fields.length];
            for (int i = 0; i < fields.length; i++) {
                int colon = fields[i].indexOf(':');
                places.put(fields[i].substring(0, colon), i);
                types[i] = fields[i].substring(colon + 1);
            }
        }

        int place(String name) {
            return places.get(name);
        }

        Object[] read(ByteBuffer in) {
            in.position(in.position() + SINGLE_OBJECT_HEADER);
            Object[] values = new Object[types.length];
            for (int i = 0; i < types.length; i++) {
                values[i] = value(in, types[i]);
            }
            return values;
        }

        private static Object value(ByteBuffer in, String type) {
            switch (type) {
                case "string":
                    return text(in);
                case "bytes":
                    int size = (int) number(in);
                    ByteBuffer part = in.slice(in.position(), size);
                    in.position(in.position() + size);
                    return part;
                case "int":
                case "long":
                    return number(in);
                case "boolean":
                    return in.get() != 0;
                case "[]":
                    return list(in);
                default:
                    if (type.startsWith("?")) {
                        return number(in) == 0 ? null : value(in, type.substring(1));
                    }
                    throw new IllegalArgumentException("no reader for " + type);
            }
        }

        private static Object list(ByteBuffer in) {
            java.util.ArrayList<String> items = new java.util.ArrayList<>();
            for (long count = number(in); count != 0; count = number(in)) {
                if (count < 0) {
                    count = -count;
                    number(in);
                }
                for (long i = 0; i < count; i++) {
                    items.add(text(in));
                }
            }
            return items;
        }

        private static String text(ByteBuffer in) {
            int size = (int) number(in);
            String text = new String(in.array(), in.arrayOffset() + in.position(), size,
                StandardCharsets.UTF_8);
            in.position(in.position() + size);
            return text;
        }

        private static long number(ByteBuffer in) {
            long bits = 0;
            int shift = 0;
            byte part;
            do {
                part = in.get();
                bits |= (long) (part & 0x7f) << shift;
                shift += 7;
            } while (part < 0);
            return bits >>> 1 ^ -(bits & 1);
        }
    }

    /** One task's part of the work. */
    static final class Work implements Processor<byte[], byte[], byte[], byte[]> {
        private final Layout entries;
        private final Layout deals;
        private final int tenant, subject, time, data, amount;
        private ProcessorContext<byte[], byte[]> context;
        private KeyValueStore<Bytes, byte[]> rows;
        private KeyValueStore<Bytes, byte[]> partials;

        Work(Layout entries, Layout deals) {
            this.entries = entries;
            this.deals = deals;
            tenant = entries.place("tenant");
            subject = entries.place("subject");
            time = entries.place("time_ms");
            data = entries.place("data");
            amount = deals.place("amount_minor");
        }

        @Override
        public void init(ProcessorContext<byte[], byte[]> given) {
            context = given;
            rows = given.getStateStore("subjects");
            partials = given.getStateStore("partials");
        }

        @Override
        public void process(Record<byte[], byte[]> record) {
            Object[] entry = entries.read(ByteBuffer.wrap(record.value()));
            Object[] deal = deals.read((ByteBuffer) entry[data]);
            long change = (Long) deal[amount];
            long at = (Long) entry[time];
            byte[] name = (entry[tenant] + "|" + entry[subject]).getBytes(StandardCharsets.UTF_8);
            Bytes key = Bytes.wrap(name);
            byte[] held = rows.get(key);
            long count = 0, sum = 0, gaps = 0, gap = 0;
            if (held != null) {
                ByteBuffer row = ByteBuffer.wrap(held);
                count = row.getLong();
                sum = row.getLong();
                gaps = row.getLong();
                gap = at - row.getLong();
            }
            count++;
            sum += change;
            rows.put(key, ByteBuffer.allocate(32).putLong(count).putLong(sum).putLong(gaps + gap)
                .putLong(at).array());
            String end = "|" + at / HOUR_MS + "|" + context.taskId().partition();
            add(entry[tenant] + "|deals" + end, 1);
            add(entry[tenant] + "|amount" + end, change);
            add(entry[tenant] + "|gap" + end, gap);
            if (change % ACTION_EVERY == 0) {
                byte[] action = ByteBuffer.allocate(16).putLong(count).putLong(sum).array();
                context.forward(record.withKey(name).withValue(action));
            }
            counted();
        }

        private void add(String name, long change) {
            Bytes key = Bytes.wrap(name.getBytes(StandardCharsets.UTF_8));
            byte[] held = partials.get(key);
            long count = 0, sum = 0;
            if (held != null) {
                ByteBuffer row = ByteBuffer.wrap(held);
                count = row.getLong();
                sum = row.getLong();
            }
            partials.put(key,
                ByteBuffer.allocate(16).putLong(count + 1).putLong(sum + change).array());
        }
    }

    private static final AtomicLong done = new AtomicLong();
    private static final CountDownLatch finished = new CountDownLatch(1);
    private static long records;

    private static void counted() {
        long now = done.incrementAndGet();
        if (now == records / 4) {
            say("begin");
        }
        if (now == records) {
            finished.countDown();
        }
    }

    private static void say(String word) {
        try {
            new FileOutputStream(FileDescriptor.out).write((word + "\n").getBytes());
        } catch (java.io.IOException problem) {
            throw new java.io.UncheckedIOException(problem);
        }
    }

    public static void main(String[] given) throws Exception {
        records = Long.parseLong(given[3]);
        boolean memory = given[5].equals("memory");
        Properties settings = new Properties();
        settings.put("bootstrap.servers", given[0]);
        settings.put("application.id", given[2]);
        settings.put("processing.guarantee", given[4]);
        settings.put("num.stream.threads", given[6]);
        settings.put("state.dir", given[7]);
        settings.put("replication.factor", "1");
        settings.put("auto.offset.reset", "earliest");
        settings.put("producer.acks", "all");
        settings.put("producer.compression.type", "lz4");
        settings.put("default.key.serde", Serdes.ByteArray().getClass());
        settings.put("default.value.serde", Serdes.ByteArray().getClass());
        Layout entries = new Layout(given[8]);
        Layout deals = new Layout(given[9]);
        StreamsBuilder builder = new StreamsBuilder();
        for (String name : new String[] {"subjects", "partials"}) {
            builder.addStateStore(Stores.keyValueStoreBuilder(
                memory ? Stores.inMemoryKeyValueStore(name) : Stores.persistentKeyValueStore(name),
                Serdes.Bytes(), Serdes.ByteArray()).withCachingEnabled());
        }
        builder.<byte[], byte[]>stream(given[1])
            .process(() -> new Work(entries, deals), "subjects", "partials")
            .to(given[2]);
        KafkaStreams streams = new KafkaStreams(builder.build(), settings);
        streams.start();
        finished.await();
        streams.close();
        say("done");
        Thread.sleep(600_000);
    }
}
