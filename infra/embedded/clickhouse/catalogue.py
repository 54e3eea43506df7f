"""What a client's SQL may call: functions, table functions, table engines and settings.

The engine runs in our process with all rights, and much of what it can call reads files or talks
to other machines (`file`, `url`, `s3`, `remote`, `executable`, `python` …). So it is an allow-list:
what isn't named here, or in one of the categories named here, is refused, including what a newer
engine brings. Names of functions come from the engine itself, by `system.functions.categories`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

# Categories of pure functions. Missing on purpose: AI (calls models over the network),
# Introspection (addresses and symbols of our process), Machine Learning (reads model files),
# Embedded Dictionary (reads files), Internal (written by the engine's planner only), Other (mixed:
# see below).
CATEGORIES = frozenset({
    "Arithmetic", "Arrays", "Bit", "Bitmap", "Comparison", "Conditional", "Dates and Times",
    "Dictionary", "Distance", "Encoding", "Encryption", "Financial", "Geo", "Geo Polygon", "Hash",
    "IP Address", "JSON", "Logical", "Map", "Mathematical", "Null", "NumericIndexedVector", "QBit",
    "Random Number", "Rounding", "String", "String Replacement", "String Search",
    "String Splitting", "Time Series", "Time Window", "Tuple", "Type Conversion", "URL", "UUID",
})  # fmt: skip

# The pure ones of the category Other. Not among them: file, filesystem*, hasColumnInTable (connects
# to other servers), showCertificate, sleep*, getMacro, getServerSetting, joinGet …
OTHER = frozenset({
    "MACNumToString", "MACStringToNum", "MACStringToOUI", "bar", "blockNumber", "blockSize",
    "byteSize", "connectionId", "countDigits", "currentDatabase", "currentProfiles",
    "currentRoles", "currentSchemas", "currentUser", "defaultProfiles", "defaultRoles",
    "defaultValueOfArgumentType", "defaultValueOfTypeName", "digits", "displayName",
    "dumpColumnStructure", "enabledProfiles", "enabledRoles", "errorCodeToName",
    "finalizeAggregation", "flipCoordinates", "formatQuery", "formatQueryOrNull",
    "formatQuerySingleLine", "formatQuerySingleLineOrNull", "formatReadableDecimalSize",
    "formatReadableQuantity", "formatReadableSize", "formatReadableTimeDelta", "getSetting",
    "getSettingOrDefault", "getSizeOfEnumType", "getSubcolumn", "globalVariable", "hostName",
    "identity", "ignore", "indexHint", "initialQueryID", "initializeAggregation", "isConstant",
    "isDecimalOverflow", "lowCardinalityIndices", "lowCardinalityKeys", "materialize",
    "minSampleSizeContinuous", "minSampleSizeConversion", "neighbor", "normalizeQuery",
    "normalizeQueryKeepNames", "normalizedQueryHash", "normalizedQueryHashKeepNames",
    "parseISO8601Duration", "parseReadableSize", "parseReadableSizeOrNull",
    "parseReadableSizeOrZero", "parseTimeDelta", "partitionId", "queryID", "revision",
    "rowNumberInAllBlocks", "rowNumberInBlock", "runningAccumulate", "runningDifference",
    "runningDifferenceStartingWithFirstValue", "shardCount", "shardNum", "throwIf",
    "toColumnTypeName", "toTypeName", "transform", "uptime", "variantElement", "variantType",
    "version", "visibleWidth",
})  # fmt: skip

# What the parser writes into the tree without the engine listing it as a function.
OPERATORS = frozenset({"lambda", "exists", "grouping", "untuple", "try_cast"})

# Table functions that make their rows from nothing, or from tables the statement names.
LOCAL_TABLE_FUNCTIONS = frozenset({
    "format", "generateRandom", "generateSeries", "generate_series", "null", "numbers",
    "numbers_mt", "primes", "values", "view", "zeros", "zeros_mt",
})  # fmt: skip
# These name tables by text, so an account bound to some databases may not use them.
NAMING_TABLE_FUNCTIONS = frozenset({"merge", "mergeTreeIndex", "mergeTreeProjection"})

TABLE_ENGINES = frozenset({
    "AggregatingMergeTree", "Buffer", "CoalescingMergeTree", "CollapsingMergeTree", "Join", "Log",
    "MaterializedView", "Memory", "Merge", "MergeTree", "Null", "ReplacingMergeTree", "Set",
    "StripeLog", "SummingMergeTree", "TinyLog", "VersionedCollapsingMergeTree", "View",
})  # fmt: skip
DATABASE_ENGINES = frozenset({"Atomic"})

# A setting that holds text can hold SQL (`additional_result_filter`), a path
# (`format_template_row`) or an address (`url_base`); `Dialect` replaces the parser.
REFUSED_SETTING_TYPES = frozenset({"Dialect", "Map", "SQLSecurityType", "String", "URI"})
TEXT_SETTINGS = frozenset({
    "bool_false_representation", "bool_true_representation", "count_distinct_implementation",
    "force_data_skipping_indices", "format_csv_null_representation",
    "format_tsv_null_representation", "ignore_data_skipping_indices",
    "insert_deduplication_token", "log_comment", "query_cache_tag",
})  # fmt: skip
# They change how text is parsed, so what runs would not be what was reviewed; whether expressions
# in VALUES are evaluated; or who may write.
REFUSED_SETTINGS = frozenset({
    "allow_introspection_functions", "allow_settings_after_format_in_insert",
    "enable_json_ast_dialect", "implicit_select",
    "input_format_values_deduce_templates_of_expressions",
    "input_format_values_interpret_expressions", "readonly",
})  # fmt: skip
TEXT_TABLE_SETTINGS = frozenset({
    "auto_statistics_types", "default_compression_codec", "marks_compression_codec",
    "primary_key_compression_codec",
})  # fmt: skip

# What reflection and BI tools read in `system`; the rest is for unrestricted accounts.
SYSTEM_TABLES = frozenset({
    "aggregate_function_combinators", "build_options", "collations", "columns", "completions",
    "contributors", "data_skipping_indices", "data_type_families", "databases", "dictionaries",
    "formats", "functions", "keywords", "numbers", "numbers_mt", "one", "settings",
    "table_engines", "table_functions", "tables", "time_zones", "zeros", "zeros_mt",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class FunctionRow:
    """One row of `system.functions`."""

    name: str
    is_aggregate: bool
    case_insensitive: bool
    alias_to: str
    category: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What one engine offers and a client may use.

    Args:
        functions: Allowed names as the engine spells them.
        any_case: Allowed names that may be spelled in any case, in lower case.
        aggregates: The aggregate ones among them (in lower case too where any case will do); only
            these take combinators.
        combinators: Suffixes like `If` and `State`.
        refused: Every other function of the engine, in lower case.
        settings: Allowed names of query settings.
        table_settings: Allowed names of MergeTree settings.
    """

    functions: frozenset[str]
    any_case: frozenset[str]
    aggregates: frozenset[str]
    combinators: tuple[str, ...]
    refused: frozenset[str]
    settings: frozenset[str]
    table_settings: frozenset[str]

    def allows(self, name: str) -> bool:
        """Tell whether a statement may call this function."""
        if name in self.functions or name.lower() in self.any_case or name in OPERATORS:
            return True
        return any(
            self._aggregates(name[: -len(end)]) for end in self.combinators if name.endswith(end)
        )

    def _aggregates(self, name: str) -> bool:
        if name in self.aggregates or name.lower() in self.aggregates:
            return True
        return any(
            self._aggregates(name[: -len(end)]) for end in self.combinators if name.endswith(end)
        )


def build_catalogue(
    functions: Iterable[FunctionRow],
    combinators: Iterable[str],
    settings: Iterable[tuple[str, str]],
    table_settings: Iterable[tuple[str, str]],
) -> Catalogue:
    """Sort what an engine lists into allowed and refused.

    Args:
        functions: `system.functions`.
        combinators: `system.aggregate_function_combinators`.
        settings: Name and type of each row of `system.settings`.
        table_settings: The same of `system.merge_tree_settings`.
    """
    rows = list(functions)
    pure = {row.name for row in rows if _is_pure(row)}
    allowed = [row for row in rows if row.name in pure or row.alias_to in pure]
    aggregates = {row.name for row in allowed if row.is_aggregate}
    names = {row.name for row in allowed}
    return Catalogue(
        functions=frozenset(names),
        any_case=frozenset(row.name.lower() for row in allowed if row.case_insensitive),
        aggregates=frozenset(
            aggregates | {r.name.lower() for r in allowed if r.is_aggregate and r.case_insensitive}
        ),
        combinators=("Distinct", *combinators),
        refused=frozenset(row.name.lower() for row in rows if row.name not in names),
        settings=_usable(settings, TEXT_SETTINGS) - REFUSED_SETTINGS,
        table_settings=_usable(table_settings, TEXT_TABLE_SETTINGS),
    )


def _is_pure(row: FunctionRow) -> bool:
    return row.is_aggregate or row.category in CATEGORIES or row.name in OTHER


def _usable(rows: Iterable[tuple[str, str]], texts: frozenset[str]) -> frozenset[str]:
    return frozenset(
        name for name, kind in rows if kind not in REFUSED_SETTING_TYPES or name in texts
    )
