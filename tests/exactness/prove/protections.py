"""What of our own keeps the log exact: the fold, its transaction, the sinks, ingest."""

from tests.exactness.prove.mutation import Edit, Mutation, one

LANE = "streams/runtime/lane.py"
TRANSACTIONS = "streams/runtime/transactions.py"
WORKER = "tests/integration/test_worker_exactness.py"
FAILURES = "tests/integration/test_worker_failures.py"
REPLACED = "tests/integration/test_logs_replaced.py"
SINK = "tests/integration/test_sink_exactness.py::test_killed_sink_leaves_each_record_once"
FENCE = "tests/integration/test_sink_fence.py"
STOPS = "tests/integration/test_sink_failstop.py"
LIVE = "tests/integration/test_live_values.py"
CLAIM = "tests/sinks/test_sink_claim.py"
DISK = "tests/streams/runtime/test_disk.py"
GUARD = "tests/streams/runtime/test_guard.py"
GROUPS = "tests/integration/test_sink_groups.py"

PROTECTIONS: tuple[Mutation, ...] = (
    Mutation(
        "skip by source offset",
        "what ingest writes again after a crash is counted again",
        one(
            "streams/domain/fold.py",
            "    if entry.origin_offset <= sources.get(source, -1):",
            "    if entry.origin_offset < -1:",
        ),
        ("tests/streams/domain/test_fold.py::test_entry_written_again_by_ingest_is_skipped",),
    ),
    Mutation(
        "fold time never goes back",
        "a clock set back makes timers fire twice",
        one(
            "streams/domain/fold.py",
            "head.now_ms = max(head.now_ms, entry.time_ms)",
            "head.now_ms = entry.time_ms",
        ),
        ("tests/streams/domain/test_fold.py::test_ticks_never_go_back",),
    ),
    Mutation(
        "ticks never go back",
        "a clock set back writes times that go back into the journal",
        one(
            "streams/processors/ticks.py",
            "if now_ms - last_ms >= every_ms else None",
            "if abs(now_ms - last_ms) >= every_ms else None",
        ),
        ("tests/streams/processors/test_ticks.py::test_ticks_never_go_back",),
    ),
    Mutation(
        "one transaction",
        "a kill leaves a half batch: its outputs without its rows and position",
        one(
            TRANSACTIONS,
            "        last = len(effects.rows) - 1\n",
            "        producer.commit_transaction(self._commit_timeout_s)\n"
            "        producer.begin_transaction()\n"
            "        last = len(effects.rows) - 1\n",
        ),
        (f"{WORKER}::test_kills_at_any_point_lose_and_double_nothing",),
    ),
    Mutation(
        "fence",
        "a worker that was paused inside a transaction commits it after its heir's",
        (
            Edit(
                TRANSACTIONS,
                'f"{config.app}-fold-{partition}",',
                'f"{config.app}-fold-{partition}-{id(self)}",',
            ),
            Edit(
                TRANSACTIONS,
                '"transaction.timeout.ms": config.transaction_timeout_ms,',
                '"transaction.timeout.ms": 600_000,',
            ),
        ),
        (f"{WORKER}::test_zombie_is_fenced_and_leaves_nothing",),
    ),
    Mutation(
        "failed commit",
        "state in memory runs ahead of the changelog",
        one(
            LANE,
            "        except BaseException:  # noqa: BLE001 - abort, fencing,",
            "        except ZeroDivisionError:  # - abort, fencing,",
        ),
        ("tests/streams/runtime/test_lane.py::test_failed_commit_is_a_fail_stop",),
    ),
    Mutation(
        "committed rows only",
        "the state holds what an aborted transaction wrote",
        one(
            "streams/runtime/loader.py",
            '"isolation.level": "read_committed",',
            '"isolation.level": "read_uncommitted",',
        ),
        (f"{WORKER}::test_kills_at_any_point_lose_and_double_nothing",),
    ),
    Mutation(
        "mark on the disk",
        "rows committed just before a kill are missing in RocksDB for ever",
        one(
            "streams/runtime/disk.py",
            "low if mark is None else mark.tail\n",
            "low if mark is None else high\n",
        ),
        (
            f"{DISK}::test_fold_over_the_disk_gives_the_bytes_of_one_in_memory",
            f"{WORKER}::test_kills_leave_no_row_on_the_disk_behind",
        ),
    ),
    Mutation(
        "density at the door",
        "an entry lost on the way is folded over",
        one("streams/runtime/guard.py", "    if first > expected:\n", "    if first > last:\n"),
        (f"{GUARD}::test_gap_before_a_batch_is_corruption",),
    ),
    Mutation(
        "density at the fold",
        "an entry lost inside the lane is folded over",
        one(
            "streams/runtime/guard.py",
            "    if first != applied + 1 or last - first + 1 != count:\n",
            "    if last - first + 1 != count:\n",
        ),
        (f"{GUARD}::test_only_what_follows_the_state_is_folded",),
    ),
    Mutation(
        "journal overtaken by retention",
        "entries that were deleted are folded over",
        one("streams/runtime/guard.py", "    if low > applied + 1:\n", "    if low > high:\n"),
        (f"{GUARD}::test_retention_that_passed_the_position_is_corruption",),
    ),
    Mutation(
        "journal's id",
        "a journal created again and grown past the position is taken for the old one",
        one(LANE, "            self._origin.check(self.partition, self._head_headers)\n", ""),
        (f"{REPLACED}::test_journal_created_again_stops_the_worker",),
    ),
    Mutation(
        "empty state",
        "a deleted state is folded anew, every effect is said twice",
        one(
            LANE,
            "            check_changelog(self.partition, self.applied, low, self._committed)\n",
            "",
        ),
        (f"{REPLACED}::test_deleted_state_is_not_folded_anew",),
    ),
    Mutation(
        "ids of sources",
        "records of an upstream topic created again are skipped as repeats",
        one(
            "streams/runtime/sources.py",
            "        if ids and ids[-1] != found:\n",
            "        if not found:\n",
        ),
        (f"{REPLACED}::test_source_created_again_is_refused_then_read_whole",),
    ),
    Mutation(
        "source overtaken by retention",
        "expired records are skipped",
        one(
            "streams/runtime/intake.py",
            "            if tp.topic not in self._config.accept:\n",
            "            if not tp.topic:\n",
        ),
        (f"{REPLACED}::test_retention_that_overtook_ingest_stops_it",),
    ),
    Mutation(
        "longest finished prefix",
        "a source position is committed over records that aren't in the journal",
        one(
            "streams/runtime/prefix.py",
            "        while run.begun and run.begun[0] in run.finished:\n"
            "            done = run.begun.popleft()\n",
            "        while run.finished:\n            done = max(run.finished)\n",
        ),
        ("tests/streams/runtime/test_prefix.py::test_position_is_the_longest_finished_prefix",),
    ),
    Mutation(
        "whole assignments",
        "all sinks dead in the middle of a cooperative rebalance leave lanes without an owner",
        (
            Edit("sinks/kafka.py", '": "roundrobin"', '": "cooperative-sticky"'),
            Edit(
                "sinks/clickhouse/assignment.py",
                "        consumer.assign(list(partitions))\n",
                "        consumer.incremental_assign(list(partitions))\n",
            ),
            Edit(
                "sinks/clickhouse/assignment.py",
                "        self._close([(part.topic, part.partition) for part in partitions])\n"
                "        consumer.unassign()\n",
                "        self._close([(part.topic, part.partition) for part in partitions])\n"
                "        consumer.incremental_unassign(list(partitions))\n",
            ),
        ),
        (f"{GROUPS}::test_every_lane_is_owned_after_all_died_in_a_rebalance",),
    ),
    Mutation(
        "claim, then read",
        "what the earlier owner began just before the claim is cut anew: rows twice",
        one(
            "sinks/clickhouse/ledger.py",
            "        after = self._read(lanes)\n",
            "        after = {lane: [*before[lane], claims[lane]] for lane in lanes}\n",
        ),
        (
            f"{CLAIM}::test_claim_sees_what_the_earlier_owner_began_just_before_it",
        ),
    ),
    Mutation(
        "ledger before the insert",
        "after a kill nobody knows what was in flight: another cut, another token, rows twice",
        one(
            "sinks/clickhouse/writer.py",
            "        self._ledger.write(rows)\n",
            "        self._ledger.write([row for row in rows if not row.token])\n",
        ),
        (f"{SINK}[after_insert]",),
    ),
    Mutation(
        "token",
        "a range sent again goes in again",
        one(
            "sinks/clickhouse/insert.py",
            '{"insert_deduplication_token": token}',
            '{"insert_deduplication_token": f"{token}{id(sql)}{__import__(\'os\').getpid()}"}',
        ),
        (f"{SINK}[after_insert]",),
    ),
    Mutation(
        "guard inside the insert",
        "a sink that was paused before its insert writes when it wakes",
        one(
            "sinks/mapping/statements.py",
            "throwIf(max((epoch, owner)) != ({epoch:d}, {quoted(owner)}), '{FENCED}') \"",
            "throwIf(max((epoch, owner)) < ({epoch:d}, {quoted(owner)}), '{FENCED}') \"",
        ),
        (f"{FENCE}::test_zombie_is_refused_when_its_token_is_forgotten",),
    ),
    Mutation(
        "ledger keeps the topic's id",
        "records of a topic created again are skipped up to the old position",
        one(
            "sinks/mapping/ledger.py",
            "    if last.topic_id != claim.topic_id:\n",
            "    if not last.topic_id:\n",
        ),
        (f"{STOPS}::test_topic_created_again_stops_it",),
    ),
    Mutation(
        "numbered effects",
        "an effect lost between holes goes unnoticed",
        one(
            "sinks/mapping/lanes.py",
            "                if row[sequence] != batch.next_seq:\n",
            "                if row[sequence] < 0:\n",
        ),
        (f"{STOPS}::test_lost_effect_stops_it",),
    ),
    Mutation(
        "Valkey's topic id",
        "totals of a metric topic created again are too small",
        one(
            "sinks/live/run.py",
            "    if recreated and not (rebuild or interrupted):\n",
            "    if recreated and not recreated:\n",
        ),
        (f"{LIVE}::test_values_of_a_topic_created_again_are_shown_only_when_asked",),
    ),
    Mutation(
        "values overtaken by retention",
        "old values stand for ever",
        one(
            "sinks/live/partitions.py",
            "            if not low <= start <= high:\n",
            "            start = max(low, start)\n            if start > high:\n",
        ),
        (f"{LIVE}::test_values_deleted_before_they_were_shown_stop_it",),
    ),
    Mutation(
        "newest value wins",
        "a process that lags takes a value back",
        one(
            "sinks/live/script.py",
            "if not old or offset(value) >= offset(old) then redis",
            "if true then redis",
        ),
        (f"{LIVE}::test_older_value_does_not_replace_a_newer_one",),
    ),
)  # fmt: skip
