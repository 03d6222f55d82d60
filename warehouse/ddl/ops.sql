create schema if not exists raw;
create schema if not exists ops;

create table if not exists ops.ledger (
    batch varchar primary key,
    system varchar not null,
    "table" varchar not null,
    day date not null,
    batch_id varchar not null,
    run_id varchar not null,
    contract_version varchar not null,
    data_sha256 varchar not null,
    passed_sha256 varchar not null,
    lists_keys boolean not null,
    loaded_at timestamp not null
);
comment on table ops.ledger is 'Every batch that was loaded, once. One row per batch.';

create table if not exists ops.watermarks (
    system varchar not null,
    "table" varchar not null,
    watermark timestamp not null,
    batch varchar not null,
    moved_at timestamp not null,
    primary key (system, "table")
);
comment on table ops.watermarks is
    'How far a table is loaded, in the time of its source. One row per table with a cursor.';

create table if not exists ops.reads (
    batch varchar primary key,
    system varchar not null,
    "table" varchar not null,
    batch_id varchar not null,
    reads_from timestamp,
    reads_to timestamp,
    table_rows bigint
);
comment on table ops.reads is
    'What a batch read: every change after reads_from (empty: from the beginning) up to reads_to, '
    'in the time of its source; table_rows is the size of the whole source table then. '
    'One row per batch; a replay is none.';

create table if not exists ops.confirmations (
    batch varchar primary key,
    system varchar not null,
    "table" varchar not null,
    batch_id varchar not null,
    confirmed_by varchar not null,
    confirmed_at timestamp not null,
    reason varchar not null
);
comment on table ops.confirmations is
    'Batches whose size was out of bounds and that a person confirmed. One row per batch.';

create table if not exists ops.restatements (
    run_id varchar not null,
    system varchar not null,
    "table" varchar not null,
    batch varchar not null,
    period varchar not null,
    added bigint not null,
    changed bigint not null,
    deleted bigint not null,
    deltas varchar not null,
    primary key (batch, period)
);
comment on table ops.restatements is
    'Past months (yyyy-mm) that a batch changed: rows, and the difference of each decimal column '
    'as JSON. One row per batch and month.';

create table if not exists ops.reused_keys (
    run_id varchar not null,
    system varchar not null,
    "table" varchar not null,
    batch varchar primary key,
    keys bigint not null
);
comment on table ops.reused_keys is
    'Batches in which keys came back as somebody else: everything that identifies them has changed '
    'at once. One row per batch.';

create table if not exists ops.runs (
    run_id varchar primary key,
    dag_id varchar not null,
    started_at timestamp not null,
    finished_at timestamp,
    as_of_date date,
    status varchar not null,
    version varchar,
    message varchar
);
comment on table ops.runs is 'Loads, builds and publications. One row per run.';

create table if not exists ops.reconciliation (
    run_id varchar not null,
    system varchar not null,
    "table" varchar not null,
    batch varchar primary key,
    day date not null,
    source bigint not null,
    landed bigint not null,
    loaded bigint not null,
    quarantined bigint not null,
    duplicate bigint not null,
    updated bigint not null,
    deleted bigint not null,
    control_sums varchar not null,
    new_columns varchar not null,
    reasons varchar not null,
    warnings varchar not null,
    extract_seconds double not null,
    validate_seconds double not null,
    load_seconds double not null,
    loaded_at timestamp not null
);
comment on table ops.reconciliation is
    'What became of every row: source = landed = loaded + quarantined + duplicate. '
    'One row per batch.';

create table if not exists ops.stage_seconds (
    run_id varchar not null,
    stage varchar not null,
    seconds double not null,
    primary key (run_id, stage)
);
comment on table ops.stage_seconds is 'Wall time per stage. One row per run and stage.';
