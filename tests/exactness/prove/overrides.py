"""What of Faust and aiokafka is overridden, and what would happen without it."""

from tests.exactness.prove.mutation import Edit, Mutation, one

APPLICATION = "streams/runtime/application.py"
ASSIGNMENT = "streams/runtime/assignment.py"
CONSUMER = "streams/runtime/consumer.py"
RUNTIME = "tests/streams/runtime"
CONSUMING, ASSIGNING = f"{RUNTIME}/test_consumer.py", f"{RUNTIME}/test_assignment.py"
PROCESSORS = "tests/streams/processors/test_processors.py"
INGEST = "tests/integration/test_ingest.py"

OVERRIDES: tuple[Mutation, ...] = (
    Mutation(
        "App._crash",
        "a crashed service leaves a living, idle process",
        one(APPLICATION, "        if self.should_stop:\n", "        if reason:\n"),
        (f"{ASSIGNING}::test_crash_of_a_service_is_a_fail_stop",),
    ),
    Mutation(
        "App._create_directories",
        "every process needs a writable directory that nobody uses",
        one(
            APPLICATION,
            '        """Make none: nothing is kept on disk."""',
            "        super()._create_directories()",
        ),
        (f"{ASSIGNING}::test_nothing_is_kept_on_disk",),
    ),
    Mutation(
        "Recovery: stop_flow",
        "records fetched before the seek are dropped, and the seek begins behind them",
        one(ASSIGNMENT, "        self.app.consumer.stop_flow()\n", ""),
        (f"{ASSIGNING}::test_nothing_is_fetched_while_lanes_open",),
    ),
    Mutation(
        "Recovery: failed opening",
        "the journal is folded onto an empty state",
        one(
            ASSIGNMENT,
            '            fail_stop("opening the assigned partitions failed")',
            "            return",
        ),
        (f"{ASSIGNING}::test_failed_opening_is_a_fail_stop",),
    ),
    Mutation(
        "TableManager.on_start",
        "every start sleeps for a second",
        one(
            ASSIGNMENT,
            "        await self._update_channels()\n        await self.recovery.start()",
            "        await super().on_start()",
        ),
        (f"{ASSIGNING}::test_recovery_begins_without_sleeping",),
    ),
    Mutation(
        "TableManager._update_channels",
        "Faust subscribes to changelogs that don't exist and waits for them for ever",
        one(
            ASSIGNMENT,
            "        self._tables_finalized.set()\n",
            "        await super()._update_channels()\n",
        ),
        (f"{RUNTIME}/test_worker_app.py::test_changelogs_are_never_subscribed",),
    ),
    Mutation(
        "BatchSchema",
        "a decoding error inside Faust skips the record",
        one("streams/runtime/worker.py", "(JOURNAL, schema=BatchSchema())", "(JOURNAL)"),
        (f"{ASSIGNING}::test_batches_pass_through_undecoded",),
    ),
    Mutation(
        "ConsumerScheduler: links",
        "a batch lost between fetch and agent in a log with holes goes unnoticed",
        one(
            "streams/runtime/batches.py",
            "self.links.append(source, run[-1].offset)",
            "run[0].offset - 1",
        ),
        (f"{RUNTIME}/test_batches.py::test_each_batch_names_the_offset_read_before_it",),
    ),
    Mutation(
        "fetch wait",
        "an idle fetch is hard-coded to 1.5 s",
        one(CONSUMER, "consumer._fetch_max_wait_ms = self.fetch_wait_ms  # noqa: SLF001", "pass"),
        (f"{CONSUMING}::test_fetch_wait_and_isolation_are_ours",),
    ),
    Mutation(
        "isolation level",
        "what upstream took back (aborted transactions) is ingested",
        one(CONSUMER, 'consumer._isolation_level = "read_committed"  # noqa: SLF001', "pass"),
        (
            f"{CONSUMING}::test_fetch_wait_and_isolation_are_ours",
            f"{INGEST}::test_aborted_upstream_transaction_never_reaches_the_journal",
        ),
    ),
    Mutation(
        "reset policy",
        "a position outside of the log jumps to its beginning: repeats, or a silent skip",
        one(
            CONSUMER,
            "            consumer._fetcher._default_reset_strategy = OffsetResetStrategy.NONE"
            "  # noqa: SLF001",
            "            pass",
        ),
        (f"{CONSUMING}::test_position_that_left_the_log_is_a_fail_stop",),
    ),
    Mutation(
        "records that can't be parsed",
        "aiokafka drops what it had parsed before, and names nothing",
        one(
            "streams/runtime/unparsable.py",
            "            if self.next_fetch_offset > began:\n                return",
            "            if self.next_fetch_offset > began:\n                raise",
        ),
        (f"{RUNTIME}/test_unparsable.py::test_what_is_before_an_unparsable_record_is_delivered",),
    ),
    Mutation(
        "ConsumerThread.crash",
        "the thread that reads is dead, the process lives",
        one(
            CONSUMER,
            '        fail_stop("consumer thread crashed", error=repr(exc))',
            "        await super().crash(exc)",
        ),
        ("tests/integration/test_worker_failures.py::test_crashed_consumer_thread_ends_the_process",),
    ),
    Mutation(
        "Consumer.seek_to_committed",
        "a partition without a committed offset isn't sought; what was fetched of it is gone",
        one(
            CONSUMER,
            "        starts = dict(await self.position_of.starts(self.assignment(), self))",
            "        starts = dict(await self.position_of.starts(self.assignment(), self))\n"
            "        starts = {tp: offset for tp, offset in starts.items() if offset}",
        ),
        (
            f"{CONSUMING}::test_partitions_without_a_committed_offset_are_sought_too",
        ),
    ),
    Mutation(
        "Consumer._wait_next_records: seeks",
        "a fetch that spans a seek brings records of both sides; one side is dropped",
        one(CONSUMER, "if seeks != self._seeks and records:", "if False:"),
        (f"{CONSUMING}::test_records_fetched_across_a_seek_are_not_delivered",),
    ),
    Mutation(
        "Consumer._wait_next_records: back-pressure",
        "reading goes on a second after there is room again",
        one(CONSUMER, "while self._held_back():  # noqa", "while False:  # noqa"),
        (f"{CONSUMING}::test_fetching_goes_on_soon_after_back_pressure",),
    ),
    Mutation(
        "Consumer._add_gap, _new_offset",
        "after a gap an offset is committed whose record isn't done",
        one(
            CONSUMER,
            "        return self.position_of.done(tp)\n",
            "        return cast('int | None', super()._new_offset(tp))\n",
        ),
        (f"{CONSUMING}::test_committed_offset_is_what_is_done",),
    ),
    Mutation(
        "views: store",
        "a write shows what no transaction has committed",
        one(
            "streams/runtime/views.py",
            '    def __setitem__(self, key: object, value: object) -> NoReturn:\n'
            '        """Refuse."""\n        raise TypeError(REFUSED)',
            "    def __setitem__(self, key: object, value: object) -> None:\n"
            '        """Take."""',
        ),
        (f"{RUNTIME}/test_views.py::test_views_refuse_writes",),
    ),
    Mutation(
        "views: table",
        "a write is sent to a changelog outside of the transaction",
        one(
            "streams/runtime/views.py",
            "    def on_key_set(self, key: Any, value: Any) -> NoReturn:  # noqa: ARG002\n"
            '        """Refuse: nothing but the transaction may write the changelog."""\n'
            "        raise TypeError(REFUSED)",
            "    def on_key_set(self, key: Any, value: Any) -> None:\n"
            "        super().on_key_set(key, value)",
        ),
        (f"{RUNTIME}/test_views.py::test_table_refuses_writes",),
    ),
    Mutation(
        "throttle by Faust's TP",
        "the next fetch fails an assertion",
        one(
            "streams/runtime/worker.py",
            "        tp = TP(JOURNAL, partition)\n",
            "        tp: Any = (JOURNAL, partition)\n",
        ),
        (f"{ASSIGNING}::test_partitions_are_held_back_by_fausts_own_name",),
    ),
    Mutation(
        "noack: journal",
        "a batch counts as done while it waits for its transaction",
        one("streams/processors/journal.py", "stream.noack().events()", "stream.events()"),
        (f"{PROCESSORS}::test_events_are_acked_by_who_makes_them_durable",),
    ),
    Mutation(
        "noack: ingest",
        "a batch counts as done before the broker has it",
        one("streams/processors/ingest.py", "stream.noack().events()", "stream.events()"),
        (f"{PROCESSORS}::test_events_are_acked_by_who_makes_them_durable",),
    ),
    Mutation(
        "failing processors",
        "Faust acks the event and goes on with the next one",
        (
            Edit(
                "streams/processors/journal.py",
                '            fail_stop("journal processor failed", topic=JOURNAL)',
                "            raise",
            ),
            Edit(
                "streams/processors/ingest.py",
                '            fail_stop("ingest processor failed")',
                "            raise",
            ),
        ),
        (f"{PROCESSORS}::test_failure_in_a_processor_is_a_fail_stop",),
    ),
    Mutation(
        "lanes stop at a revocation",
        "a held batch is committed after the next owner's fence",
        one(
            "streams/runtime/worker.py",
            "        self.on_partitions_revoked.connect(self._revoked, weak=False)\n",
            "",
        ),
        (f"{RUNTIME}/test_worker_app.py::test_lanes_stop_when_partitions_are_revoked",),
    ),
    Mutation(
        "one opening at a time",
        "an abandoned opening and the next one fence and load each other",
        one(
            "streams/runtime/lane.py",
            "with self._opening:\n            self._origin,",
            "if self._opening:\n            self._origin,",
        ),
        (f"{ASSIGNING}::test_lane_opens_once_at_a_time",),
    ),
)  # fmt: skip
