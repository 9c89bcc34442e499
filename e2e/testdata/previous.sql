-- The database of a data folder as the build of 2026-11-23 left it: one experiment
-- with its results, and one that is queued. States and the audit log are left out;
-- @DATA@ stands for the data folder.
BEGIN TRANSACTION;
CREATE TABLE attempts (
    run        TEXT    NOT NULL REFERENCES runs (id),
    n          INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    folder     TEXT    NOT NULL,
    started_at BIGINT  NOT NULL,
    ended_at   BIGINT  NOT NULL,
    outcome    TEXT    NOT NULL,
    error      TEXT    NOT NULL,
    PRIMARY KEY (run, n)
);
INSERT INTO "attempts" VALUES('r5r04jx6mq',1,'plan','@DATA@/runs/r5r04jx6mq/attempts/0002-plan',1796023067296868151,1796023068682077602,'ok','');
INSERT INTO "attempts" VALUES('r5r04jx6mq',2,'apply','@DATA@/runs/r5r04jx6mq/attempts/0004-apply',1796023069131313975,1796023070291467768,'ok','');
INSERT INTO "attempts" VALUES('r5r04jx6mq',3,'plan_destroy','@DATA@/runs/r5r04jx6mq/attempts/0005-plan',1796023076894183661,1796023078273175084,'ok','');
INSERT INTO "attempts" VALUES('r5r04jx6mq',4,'destroy','@DATA@/runs/r5r04jx6mq/attempts/0007-apply',1796023078966928519,1796023079899976106,'ok','');
INSERT INTO "attempts" VALUES('rwriaxhr8u',1,'plan','@DATA@/runs/rwriaxhr8u/attempts/0002-plan',1796023081460498033,1796023082338733902,'ok','');
INSERT INTO "attempts" VALUES('rwriaxhr8u',2,'apply','@DATA@/runs/rwriaxhr8u/attempts/0004-apply',1796023083248262546,1796023085444196917,'ok','');
INSERT INTO "attempts" VALUES('rwriaxhr8u',3,'plan_destroy','@DATA@/runs/rwriaxhr8u/attempts/0005-plan',1796023093241833605,1796023094069290185,'ok','');
INSERT INTO "attempts" VALUES('rwriaxhr8u',4,'destroy','@DATA@/runs/rwriaxhr8u/attempts/0007-apply',1796023094620528181,1796023095376850378,'ok','');
INSERT INTO "attempts" VALUES('ru8ogdmszk',1,'plan','@DATA@/runs/ru8ogdmszk/attempts/0002-plan',1796023096813563772,1796023097851424208,'ok','');
INSERT INTO "attempts" VALUES('ru8ogdmszk',2,'apply','@DATA@/runs/ru8ogdmszk/attempts/0004-apply',1796023098564195237,1796023099686148213,'ok','');
INSERT INTO "attempts" VALUES('ru8ogdmszk',3,'plan_destroy','@DATA@/runs/ru8ogdmszk/attempts/0005-plan',1796023106340974731,1796023107371479291,'ok','');
INSERT INTO "attempts" VALUES('ru8ogdmszk',4,'destroy','@DATA@/runs/ru8ogdmszk/attempts/0007-apply',1796023107775829469,1796023108900567967,'ok','');
CREATE TABLE audit (
    id     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at     BIGINT  NOT NULL,
    who    TEXT    NOT NULL,
    action TEXT    NOT NULL,
    object TEXT    NOT NULL,
    status INTEGER NOT NULL,
    remote TEXT    NOT NULL
);
CREATE TABLE drain (
    id         INTEGER NOT NULL PRIMARY KEY, -- 1
    asked_by   TEXT    NOT NULL,
    since      BIGINT  NOT NULL,
    lapses_at  BIGINT  NOT NULL,
    granted_at BIGINT  NOT NULL
);
INSERT INTO "drain" VALUES(1,'admin',1796023111228000000,1796024011228000000,1796023111228000000);
CREATE TABLE events (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at         BIGINT  NOT NULL,
    experiment TEXT    NOT NULL,
    run        TEXT    NOT NULL,
    variant    TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    phase      TEXT    NOT NULL,
    resource   TEXT    NOT NULL,
    message    TEXT    NOT NULL
);
INSERT INTO "events" VALUES(1,1796023066856000000,'eyt8imnu2f','r5r04jx6mq','file','phase','queued','','');
INSERT INTO "events" VALUES(2,1796023066856000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','phase','queued','','');
INSERT INTO "events" VALUES(3,1796023066864000000,'eyt8imnu2f','r5r04jx6mq','file','phase','provision','','');
INSERT INTO "events" VALUES(4,1796023069728000000,'eyt8imnu2f','r5r04jx6mq','file','resource','provision','{"address":"module.nodes.dec_port.port[\"server-0-cluster\"]","action":"create","state":"started"}','');
INSERT INTO "events" VALUES(5,1796023069753000000,'eyt8imnu2f','r5r04jx6mq','file','resource','provision','{"address":"module.nodes.dec_port.port[\"server-0-client\"]","action":"create","state":"started"}','');
INSERT INTO "events" VALUES(6,1796023069765000000,'eyt8imnu2f','r5r04jx6mq','file','resource','provision','{"address":"module.nodes.dec_port.port[\"server-0-monitor\"]","action":"create","state":"started"}','');
INSERT INTO "events" VALUES(7,1796023069778000000,'eyt8imnu2f','r5r04jx6mq','file','resource','provision','{"address":"module.nodes.dec_port.port[\"server-0-monitor\"]","action":"create","state":"complete","id":"26134","seconds":0.03197}','');
INSERT INTO "events" VALUES(8,1796023069780000000,'eyt8imnu2f','r5r04jx6mq','file','resource','provision','{"address":"module.nodes.dec_port.port[\"server-0-cluster\"]","action":"create","state":"complete","id":"24034","seconds":0.058488}','');
INSERT INTO "events" VALUES(9,1796023069783000000,'eyt8imnu2f','r5r04jx6mq','file','resource','provision','{"address":"module.nodes.dec_port.port[\"server-0-client\"]","action":"create","state":"complete","id":"21199","seconds":0.062767}','');
INSERT INTO "events" VALUES(10,1796023069977000000,'eyt8imnu2f','r5r04jx6mq','file','resource','provision','{"address":"module.nodes.dec_process.service[\"consumer-0\"]","action":"create","state":"started"}','');
INSERT INTO "events" VALUES(11,1796023070032000000,'eyt8imnu2f','r5r04jx6mq','file','resource','provision','{"address":"module.nodes.dec_process.service[\"server-0\"]","action":"create","state":"started"}','');
INSERT INTO "events" VALUES(12,1796023070127000000,'eyt8imnu2f','r5r04jx6mq','file','resource','provision','{"address":"module.nodes.dec_process.service[\"producer-0\"]","action":"create","state":"started"}','');
INSERT INTO "events" VALUES(13,1796023070176000000,'eyt8imnu2f','r5r04jx6mq','file','resource','provision','{"address":"module.nodes.dec_process.service[\"consumer-0\"]","action":"create","state":"complete","id":"r5r04jx6mq-consumer-0","seconds":0.209617}','');
INSERT INTO "events" VALUES(14,1796023070282000000,'eyt8imnu2f','r5r04jx6mq','file','resource','provision','{"address":"module.nodes.dec_process.service[\"server-0\"]","action":"create","state":"complete","id":"r5r04jx6mq-server-0","seconds":0.255686}','');
INSERT INTO "events" VALUES(15,1796023070283000000,'eyt8imnu2f','r5r04jx6mq','file','resource','provision','{"address":"module.nodes.dec_process.service[\"producer-0\"]","action":"create","state":"complete","id":"r5r04jx6mq-producer-0","seconds":0.175172}','');
INSERT INTO "events" VALUES(16,1796023070319000000,'eyt8imnu2f','r5r04jx6mq','file','phase','prepare','','');
INSERT INTO "events" VALUES(17,1796023072568000000,'eyt8imnu2f','r5r04jx6mq','file','phase','load','','');
INSERT INTO "events" VALUES(18,1796023076654000000,'eyt8imnu2f','r5r04jx6mq','file','phase','collect','','');
INSERT INTO "events" VALUES(19,1796023076890000000,'eyt8imnu2f','r5r04jx6mq','file','phase','destroy','','');
INSERT INTO "events" VALUES(20,1796023079603000000,'eyt8imnu2f','r5r04jx6mq','file','resource','destroy','{"address":"module.nodes.dec_process.service[\"producer-0\"]","action":"delete","state":"started","id":"r5r04jx6mq-producer-0"}','');
INSERT INTO "events" VALUES(21,1796023079608000000,'eyt8imnu2f','r5r04jx6mq','file','resource','destroy','{"address":"module.nodes.dec_process.service[\"consumer-0\"]","action":"delete","state":"started","id":"r5r04jx6mq-consumer-0"}','');
INSERT INTO "events" VALUES(22,1796023079614000000,'eyt8imnu2f','r5r04jx6mq','file','resource','destroy','{"address":"module.nodes.dec_process.service[\"server-0\"]","action":"delete","state":"started","id":"r5r04jx6mq-server-0"}','');
INSERT INTO "events" VALUES(23,1796023079653000000,'eyt8imnu2f','r5r04jx6mq','file','resource','destroy','{"address":"module.nodes.dec_process.service[\"consumer-0\"]","action":"delete","state":"complete","seconds":0.05985}','');
INSERT INTO "events" VALUES(24,1796023079662000000,'eyt8imnu2f','r5r04jx6mq','file','resource','destroy','{"address":"module.nodes.dec_process.service[\"producer-0\"]","action":"delete","state":"complete","seconds":0.077078}','');
INSERT INTO "events" VALUES(25,1796023079853000000,'eyt8imnu2f','r5r04jx6mq','file','resource','destroy','{"address":"module.nodes.dec_process.service[\"server-0\"]","action":"delete","state":"complete","seconds":0.234298}','');
INSERT INTO "events" VALUES(26,1796023079855000000,'eyt8imnu2f','r5r04jx6mq','file','resource','destroy','{"address":"module.nodes.dec_port.port[\"server-0-cluster\"]","action":"delete","state":"started","id":"24034"}','');
INSERT INTO "events" VALUES(27,1796023079856000000,'eyt8imnu2f','r5r04jx6mq','file','resource','destroy','{"address":"module.nodes.dec_port.port[\"server-0-monitor\"]","action":"delete","state":"started","id":"26134"}','');
INSERT INTO "events" VALUES(28,1796023079857000000,'eyt8imnu2f','r5r04jx6mq','file','resource','destroy','{"address":"module.nodes.dec_port.port[\"server-0-client\"]","action":"delete","state":"started","id":"21199"}','');
INSERT INTO "events" VALUES(29,1796023079859000000,'eyt8imnu2f','r5r04jx6mq','file','resource','destroy','{"address":"module.nodes.dec_port.port[\"server-0-cluster\"]","action":"delete","state":"complete","seconds":0.014019}','');
INSERT INTO "events" VALUES(30,1796023079903000000,'eyt8imnu2f','r5r04jx6mq','file','resource','destroy','{"address":"module.nodes.dec_port.port[\"server-0-client\"]","action":"delete","state":"complete","seconds":0.017831}','');
INSERT INTO "events" VALUES(31,1796023079904000000,'eyt8imnu2f','r5r04jx6mq','file','resource','destroy','{"address":"module.nodes.dec_port.port[\"server-0-monitor\"]","action":"delete","state":"complete","seconds":0.024185}','');
INSERT INTO "events" VALUES(32,1796023079936000000,'eyt8imnu2f','r5r04jx6mq','file','phase','verify','','');
INSERT INTO "events" VALUES(33,1796023080989000000,'eyt8imnu2f','r5r04jx6mq','file','outcome','ended','','succeeded, not valid');
INSERT INTO "events" VALUES(34,1796023081009000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','phase','provision','','');
INSERT INTO "events" VALUES(35,1796023084348000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','resource','provision','{"address":"module.nodes.dec_port.port[\"emulator-0-http\"]","action":"create","state":"started"}','');
INSERT INTO "events" VALUES(36,1796023084349000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','resource','provision','{"address":"module.nodes.dec_port.port[\"emulator-0-http\"]","action":"create","state":"complete","id":"27151","seconds":0.029795}','');
INSERT INTO "events" VALUES(37,1796023084598000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','resource','provision','{"address":"module.nodes.dec_process.service[\"consumer-0\"]","action":"create","state":"started"}','');
INSERT INTO "events" VALUES(38,1796023084602000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','resource','provision','{"address":"module.nodes.dec_process.service[\"producer-0\"]","action":"create","state":"started"}','');
INSERT INTO "events" VALUES(39,1796023084604000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','resource','provision','{"address":"module.nodes.dec_process.service[\"emulator\"]","action":"create","state":"started"}','');
INSERT INTO "events" VALUES(40,1796023084698000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','resource','provision','{"address":"module.nodes.dec_process.service[\"consumer-0\"]","action":"create","state":"complete","id":"rwriaxhr8u-consumer-0","seconds":0.109972}','');
INSERT INTO "events" VALUES(41,1796023084700000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','resource','provision','{"address":"module.nodes.dec_process.service[\"producer-0\"]","action":"create","state":"complete","id":"rwriaxhr8u-producer-0","seconds":0.107451}','');
INSERT INTO "events" VALUES(42,1796023085450000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','resource','provision','{"address":"module.nodes.dec_process.service[\"emulator\"]","action":"create","state":"complete","id":"rwriaxhr8u-emulator","seconds":0.816625}','');
INSERT INTO "events" VALUES(43,1796023085475000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','phase','prepare','','');
INSERT INTO "events" VALUES(44,1796023087708000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','phase','load','','');
INSERT INTO "events" VALUES(45,1796023092844000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','phase','collect','','');
INSERT INTO "events" VALUES(46,1796023093230000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','phase','destroy','','');
INSERT INTO "events" VALUES(47,1796023095131000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','resource','destroy','{"address":"module.nodes.dec_process.service[\"consumer-0\"]","action":"delete","state":"started","id":"rwriaxhr8u-consumer-0"}','');
INSERT INTO "events" VALUES(48,1796023095135000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','resource','destroy','{"address":"module.nodes.dec_process.service[\"emulator\"]","action":"delete","state":"started","id":"rwriaxhr8u-emulator"}','');
INSERT INTO "events" VALUES(49,1796023095135000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','resource','destroy','{"address":"module.nodes.dec_process.service[\"producer-0\"]","action":"delete","state":"started","id":"rwriaxhr8u-producer-0"}','');
INSERT INTO "events" VALUES(50,1796023095231000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','resource','destroy','{"address":"module.nodes.dec_process.service[\"producer-0\"]","action":"delete","state":"complete","seconds":0.090472}','');
INSERT INTO "events" VALUES(51,1796023095329000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','resource','destroy','{"address":"module.nodes.dec_process.service[\"consumer-0\"]","action":"delete","state":"complete","seconds":0.134997}','');
INSERT INTO "events" VALUES(52,1796023095382000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','resource','destroy','{"address":"module.nodes.dec_process.service[\"emulator\"]","action":"delete","state":"complete","seconds":0.212076}','');
INSERT INTO "events" VALUES(53,1796023095383000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','resource','destroy','{"address":"module.nodes.dec_port.port[\"emulator-0-http\"]","action":"delete","state":"started","id":"27151"}','');
INSERT INTO "events" VALUES(54,1796023095384000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','resource','destroy','{"address":"module.nodes.dec_port.port[\"emulator-0-http\"]","action":"delete","state":"complete","seconds":0.001696}','');
INSERT INTO "events" VALUES(55,1796023095388000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','phase','verify','','');
INSERT INTO "events" VALUES(56,1796023096420000000,'eyt8imnu2f','rwriaxhr8u','kinesis-emulator','outcome','ended','','succeeded');
INSERT INTO "events" VALUES(57,1796023096420000000,'eyt8imnu2f','ru8ogdmszk','file','phase','queued','','repeats a run that failed or was not valid');
INSERT INTO "events" VALUES(58,1796023096453000000,'eyt8imnu2f','ru8ogdmszk','file','phase','provision','','');
INSERT INTO "events" VALUES(59,1796023099366000000,'eyt8imnu2f','ru8ogdmszk','file','resource','provision','{"address":"module.nodes.dec_port.port[\"server-0-client\"]","action":"create","state":"started"}','');
INSERT INTO "events" VALUES(60,1796023099415000000,'eyt8imnu2f','ru8ogdmszk','file','resource','provision','{"address":"module.nodes.dec_port.port[\"server-0-cluster\"]","action":"create","state":"started"}','');
INSERT INTO "events" VALUES(61,1796023099416000000,'eyt8imnu2f','ru8ogdmszk','file','resource','provision','{"address":"module.nodes.dec_port.port[\"server-0-monitor\"]","action":"create","state":"started"}','');
INSERT INTO "events" VALUES(62,1796023099416000000,'eyt8imnu2f','ru8ogdmszk','file','resource','provision','{"address":"module.nodes.dec_port.port[\"server-0-monitor\"]","action":"create","state":"complete","id":"24421","seconds":0.008457}','');
INSERT INTO "events" VALUES(63,1796023099417000000,'eyt8imnu2f','ru8ogdmszk','file','resource','provision','{"address":"module.nodes.dec_port.port[\"server-0-client\"]","action":"create","state":"complete","id":"22218","seconds":0.063681}','');
INSERT INTO "events" VALUES(64,1796023099418000000,'eyt8imnu2f','ru8ogdmszk','file','resource','provision','{"address":"module.nodes.dec_port.port[\"server-0-cluster\"]","action":"create","state":"complete","id":"29665","seconds":0.049115}','');
INSERT INTO "events" VALUES(65,1796023099465000000,'eyt8imnu2f','ru8ogdmszk','file','resource','provision','{"address":"module.nodes.dec_process.service[\"consumer-0\"]","action":"create","state":"started"}','');
INSERT INTO "events" VALUES(66,1796023099516000000,'eyt8imnu2f','ru8ogdmszk','file','resource','provision','{"address":"module.nodes.dec_process.service[\"server-0\"]","action":"create","state":"started"}','');
INSERT INTO "events" VALUES(67,1796023099518000000,'eyt8imnu2f','ru8ogdmszk','file','resource','provision','{"address":"module.nodes.dec_process.service[\"producer-0\"]","action":"create","state":"started"}','');
INSERT INTO "events" VALUES(68,1796023099614000000,'eyt8imnu2f','ru8ogdmszk','file','resource','provision','{"address":"module.nodes.dec_process.service[\"producer-0\"]","action":"create","state":"complete","id":"ru8ogdmszk-producer-0","seconds":0.099638}','');
INSERT INTO "events" VALUES(69,1796023099615000000,'eyt8imnu2f','ru8ogdmszk','file','resource','provision','{"address":"module.nodes.dec_process.service[\"consumer-0\"]","action":"create","state":"complete","id":"ru8ogdmszk-consumer-0","seconds":0.135779}','');
INSERT INTO "events" VALUES(70,1796023099713000000,'eyt8imnu2f','ru8ogdmszk','file','resource','provision','{"address":"module.nodes.dec_process.service[\"server-0\"]","action":"create","state":"complete","id":"ru8ogdmszk-server-0","seconds":0.189784}','');
INSERT INTO "events" VALUES(71,1796023099718000000,'eyt8imnu2f','ru8ogdmszk','file','phase','prepare','','');
INSERT INTO "events" VALUES(72,1796023101976000000,'eyt8imnu2f','ru8ogdmszk','file','phase','load','','');
INSERT INTO "events" VALUES(73,1796023106050000000,'eyt8imnu2f','ru8ogdmszk','file','phase','collect','','');
INSERT INTO "events" VALUES(74,1796023106337000000,'eyt8imnu2f','ru8ogdmszk','file','phase','destroy','','');
INSERT INTO "events" VALUES(75,1796023108585000000,'eyt8imnu2f','ru8ogdmszk','file','resource','destroy','{"address":"module.nodes.dec_process.service[\"producer-0\"]","action":"delete","state":"started","id":"ru8ogdmszk-producer-0"}','');
INSERT INTO "events" VALUES(76,1796023108587000000,'eyt8imnu2f','ru8ogdmszk','file','resource','destroy','{"address":"module.nodes.dec_process.service[\"server-0\"]","action":"delete","state":"started","id":"ru8ogdmszk-server-0"}','');
INSERT INTO "events" VALUES(77,1796023108588000000,'eyt8imnu2f','ru8ogdmszk','file','resource','destroy','{"address":"module.nodes.dec_process.service[\"consumer-0\"]","action":"delete","state":"started","id":"ru8ogdmszk-consumer-0"}','');
INSERT INTO "events" VALUES(78,1796023108636000000,'eyt8imnu2f','ru8ogdmszk','file','resource','destroy','{"address":"module.nodes.dec_process.service[\"consumer-0\"]","action":"delete","state":"complete","seconds":0.046355}','');
INSERT INTO "events" VALUES(79,1796023108735000000,'eyt8imnu2f','ru8ogdmszk','file','resource','destroy','{"address":"module.nodes.dec_process.service[\"producer-0\"]","action":"delete","state":"complete","seconds":0.137681}','');
INSERT INTO "events" VALUES(80,1796023108835000000,'eyt8imnu2f','ru8ogdmszk','file','resource','destroy','{"address":"module.nodes.dec_process.service[\"server-0\"]","action":"delete","state":"complete","seconds":0.239193}','');
INSERT INTO "events" VALUES(81,1796023108837000000,'eyt8imnu2f','ru8ogdmszk','file','resource','destroy','{"address":"module.nodes.dec_port.port[\"server-0-cluster\"]","action":"delete","state":"started","id":"29665"}','');
INSERT INTO "events" VALUES(82,1796023108885000000,'eyt8imnu2f','ru8ogdmszk','file','resource','destroy','{"address":"module.nodes.dec_port.port[\"server-0-monitor\"]","action":"delete","state":"started","id":"24421"}','');
INSERT INTO "events" VALUES(83,1796023108886000000,'eyt8imnu2f','ru8ogdmszk','file','resource','destroy','{"address":"module.nodes.dec_port.port[\"server-0-client\"]","action":"delete","state":"started","id":"22218"}','');
INSERT INTO "events" VALUES(84,1796023108888000000,'eyt8imnu2f','ru8ogdmszk','file','resource','destroy','{"address":"module.nodes.dec_port.port[\"server-0-monitor\"]","action":"delete","state":"complete","seconds":0.01288}','');
INSERT INTO "events" VALUES(85,1796023108889000000,'eyt8imnu2f','ru8ogdmszk','file','resource','destroy','{"address":"module.nodes.dec_port.port[\"server-0-cluster\"]","action":"delete","state":"complete","seconds":0.018548}','');
INSERT INTO "events" VALUES(86,1796023108890000000,'eyt8imnu2f','ru8ogdmszk','file','resource','destroy','{"address":"module.nodes.dec_port.port[\"server-0-client\"]","action":"delete","state":"complete","seconds":0.008704}','');
INSERT INTO "events" VALUES(87,1796023108937000000,'eyt8imnu2f','ru8ogdmszk','file','phase','verify','','');
INSERT INTO "events" VALUES(88,1796023110028000000,'eyt8imnu2f','ru8ogdmszk','file','outcome','ended','','succeeded');
INSERT INTO "events" VALUES(89,1796023111285000000,'e23n9zfw0d','rcfwl2supr','file','phase','queued','','');
CREATE TABLE experiments (
    seq        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- the queue is first in, first out
    id         TEXT    NOT NULL UNIQUE,
    plan       TEXT    NOT NULL,
    digest     TEXT    NOT NULL,
    created_at BIGINT  NOT NULL,
    reason     TEXT    NOT NULL -- why no further run of it starts; '' while runs may start
, submitted_by   TEXT    NOT NULL DEFAULT '', target         TEXT    NOT NULL DEFAULT '', technologies   TEXT    NOT NULL DEFAULT '', search         TEXT    NOT NULL DEFAULT '', runs_planned   INTEGER NOT NULL DEFAULT 0, runs_queued    INTEGER NOT NULL DEFAULT 0, runs_ended     INTEGER NOT NULL DEFAULT 0, runs_succeeded INTEGER NOT NULL DEFAULT 0, runs_valid     INTEGER NOT NULL DEFAULT 0, runs_failed    INTEGER NOT NULL DEFAULT 0, runs_cancelled INTEGER NOT NULL DEFAULT 0, runs_leaked    INTEGER NOT NULL DEFAULT 0, started_at     BIGINT  NOT NULL DEFAULT 0, ended_at       BIGINT  NOT NULL DEFAULT 0, verdict        TEXT    NOT NULL DEFAULT '', state          TEXT    NOT NULL GENERATED ALWAYS AS (
    CASE WHEN runs_ended = runs_planned THEN 'ended' WHEN runs_queued = runs_planned THEN 'queued' ELSE 'running' END) VIRTUAL);
INSERT INTO "experiments" VALUES(1,'eyt8imnu2f','{"name":"of the previous build","target":"local","compare":"e2e_p99","workload":{"require":{},"topology":{"partitions":1,"replicas":1,"producers":1,"consumer_groups":1,"consumers_per_group":1,"producer_nodes":1,"consumer_nodes":1},"load":{"rate":100,"arrivals":"uniform","max_in_flight":10000},"message":{"size":"1KiB","key":"none"},"stages":{"warmup":"0s","measure":"2s","drain":"5s"},"retention_bytes":"2GiB","seed":42},"variants":[{"label":"file","technology":"nats","stack":"jetstream","options":{"max_buffered_msgs":100000,"servers":1,"storage":"file","sync_interval":"2m"}},{"label":"kinesis-emulator","technology":"kinesis","stack":"emulator","options":{"consumers":"polling","engine":"kinesalite","shard_limits":false}}],"repeat":1,"limits":{"ttl":"1h"}}','2d1807593882bc9db237c2f21b546e8b459e2cde9d053781cd3fd74cde530fd1',1796023066856000000,'','admin','local',' kinesis nats ','eyt8imnu2f
of the previous build
file
nats
kinesis-emulator
kinesis',3,0,3,3,2,0,0,0,1796023066864000000,1796023110028000000,'{"decided":false,"sentences":["No verdict: 3 runs were planned; 2 variants need 5 runs each."],"caveats":["kinesis-emulator ran on kinesalite 3.3.3, which stands for Amazon Kinesis Data Streams on this machine: its numbers tell how to use it, not how fast it is.","Not like for like: durable before the acknowledgement: file page cache, kinesis-emulator memory. kinesis-emulator cannot be raised.","By nature: Amazon Kinesis itself copies each record to three Availability Zones before it acknowledges it.","1 of 2 file runs is not counted; the reasons stand with the runs.","Brokers and agents shared one machine: good for function, settings and method, not for a purchase."],"fairness":"guarantees differ"}');
INSERT INTO "experiments" VALUES(2,'e23n9zfw0d','{"name":"queued by the previous build","target":"local","compare":"e2e_p99","workload":{"require":{},"topology":{"partitions":1,"replicas":1,"producers":1,"consumer_groups":1,"consumers_per_group":1,"producer_nodes":1,"consumer_nodes":1},"load":{"rate":100,"arrivals":"uniform","max_in_flight":10000},"message":{"size":"1KiB","key":"none"},"stages":{"warmup":"0s","measure":"2s","drain":"5s"},"retention_bytes":"2GiB","seed":42},"variants":[{"label":"file","technology":"nats","stack":"jetstream","options":{"max_buffered_msgs":100000,"servers":1,"storage":"file","sync_interval":"2m"}}],"repeat":1,"limits":{"ttl":"1h"}}','f0696ab245a6d5ae8db96d4b5bd05773355e6d6523780818bbd520ef65d118ef',1796023111285000000,'','admin','local',' nats ','e23n9zfw0d
queued by the previous build
file
nats',1,1,0,0,0,0,0,0,0,0,'');
CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
INSERT INTO "goose_db_version" VALUES(1,0,1,'2026-11-30 07:17:43');
INSERT INTO "goose_db_version" VALUES(2,1,1,'2026-11-30 07:17:43');
INSERT INTO "goose_db_version" VALUES(3,2,1,'2026-11-30 07:17:43');
CREATE TABLE intents (
    run     TEXT    NOT NULL,
    attempt INTEGER NOT NULL,
    n       INTEGER NOT NULL,
    address TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    PRIMARY KEY (run, attempt, n),
    FOREIGN KEY (run, attempt) REFERENCES attempts (run, n)
);
INSERT INTO "intents" VALUES('r5r04jx6mq',1,0,'module.nodes.dec_port.port["server-0-client"]','create','port','21199');
INSERT INTO "intents" VALUES('r5r04jx6mq',1,1,'module.nodes.dec_port.port["server-0-cluster"]','create','port','24034');
INSERT INTO "intents" VALUES('r5r04jx6mq',1,2,'module.nodes.dec_port.port["server-0-monitor"]','create','port','26134');
INSERT INTO "intents" VALUES('r5r04jx6mq',1,3,'module.nodes.dec_process.service["consumer-0"]','create','process','r5r04jx6mq-consumer-0');
INSERT INTO "intents" VALUES('r5r04jx6mq',1,4,'module.nodes.dec_process.service["producer-0"]','create','process','r5r04jx6mq-producer-0');
INSERT INTO "intents" VALUES('r5r04jx6mq',1,5,'module.nodes.dec_process.service["server-0"]','create','process','r5r04jx6mq-server-0');
INSERT INTO "intents" VALUES('r5r04jx6mq',3,0,'module.nodes.dec_port.port["server-0-client"]','delete','port','21199');
INSERT INTO "intents" VALUES('r5r04jx6mq',3,1,'module.nodes.dec_port.port["server-0-cluster"]','delete','port','24034');
INSERT INTO "intents" VALUES('r5r04jx6mq',3,2,'module.nodes.dec_port.port["server-0-monitor"]','delete','port','26134');
INSERT INTO "intents" VALUES('r5r04jx6mq',3,3,'module.nodes.dec_process.service["consumer-0"]','delete','process','r5r04jx6mq-consumer-0');
INSERT INTO "intents" VALUES('r5r04jx6mq',3,4,'module.nodes.dec_process.service["producer-0"]','delete','process','r5r04jx6mq-producer-0');
INSERT INTO "intents" VALUES('r5r04jx6mq',3,5,'module.nodes.dec_process.service["server-0"]','delete','process','r5r04jx6mq-server-0');
INSERT INTO "intents" VALUES('rwriaxhr8u',1,0,'module.nodes.dec_port.port["emulator-0-http"]','create','port','27151');
INSERT INTO "intents" VALUES('rwriaxhr8u',1,1,'module.nodes.dec_process.service["consumer-0"]','create','process','rwriaxhr8u-consumer-0');
INSERT INTO "intents" VALUES('rwriaxhr8u',1,2,'module.nodes.dec_process.service["emulator"]','create','process','rwriaxhr8u-emulator');
INSERT INTO "intents" VALUES('rwriaxhr8u',1,3,'module.nodes.dec_process.service["producer-0"]','create','process','rwriaxhr8u-producer-0');
INSERT INTO "intents" VALUES('rwriaxhr8u',3,0,'module.nodes.dec_port.port["emulator-0-http"]','delete','port','27151');
INSERT INTO "intents" VALUES('rwriaxhr8u',3,1,'module.nodes.dec_process.service["consumer-0"]','delete','process','rwriaxhr8u-consumer-0');
INSERT INTO "intents" VALUES('rwriaxhr8u',3,2,'module.nodes.dec_process.service["emulator"]','delete','process','rwriaxhr8u-emulator');
INSERT INTO "intents" VALUES('rwriaxhr8u',3,3,'module.nodes.dec_process.service["producer-0"]','delete','process','rwriaxhr8u-producer-0');
INSERT INTO "intents" VALUES('ru8ogdmszk',1,0,'module.nodes.dec_port.port["server-0-client"]','create','port','22218');
INSERT INTO "intents" VALUES('ru8ogdmszk',1,1,'module.nodes.dec_port.port["server-0-cluster"]','create','port','29665');
INSERT INTO "intents" VALUES('ru8ogdmszk',1,2,'module.nodes.dec_port.port["server-0-monitor"]','create','port','24421');
INSERT INTO "intents" VALUES('ru8ogdmszk',1,3,'module.nodes.dec_process.service["consumer-0"]','create','process','ru8ogdmszk-consumer-0');
INSERT INTO "intents" VALUES('ru8ogdmszk',1,4,'module.nodes.dec_process.service["producer-0"]','create','process','ru8ogdmszk-producer-0');
INSERT INTO "intents" VALUES('ru8ogdmszk',1,5,'module.nodes.dec_process.service["server-0"]','create','process','ru8ogdmszk-server-0');
INSERT INTO "intents" VALUES('ru8ogdmszk',3,0,'module.nodes.dec_port.port["server-0-client"]','delete','port','22218');
INSERT INTO "intents" VALUES('ru8ogdmszk',3,1,'module.nodes.dec_port.port["server-0-cluster"]','delete','port','29665');
INSERT INTO "intents" VALUES('ru8ogdmszk',3,2,'module.nodes.dec_port.port["server-0-monitor"]','delete','port','24421');
INSERT INTO "intents" VALUES('ru8ogdmszk',3,3,'module.nodes.dec_process.service["consumer-0"]','delete','process','ru8ogdmszk-consumer-0');
INSERT INTO "intents" VALUES('ru8ogdmszk',3,4,'module.nodes.dec_process.service["producer-0"]','delete','process','ru8ogdmszk-producer-0');
INSERT INTO "intents" VALUES('ru8ogdmszk',3,5,'module.nodes.dec_process.service["server-0"]','delete','process','ru8ogdmszk-server-0');
CREATE TABLE kinds (
    phase      TEXT   NOT NULL,
    outcome    TEXT   NOT NULL,
    teardown   TEXT   NOT NULL,
    technology TEXT   NOT NULL,
    target     TEXT   NOT NULL,
    n          BIGINT NOT NULL,
    PRIMARY KEY (phase, outcome, teardown, technology, target)
);
INSERT INTO "kinds" VALUES('queued','','none','nats','local',1);
INSERT INTO "kinds" VALUES('queued','','none','kinesis','local',0);
INSERT INTO "kinds" VALUES('provision','','pending','nats','local',0);
INSERT INTO "kinds" VALUES('prepare','','pending','nats','local',0);
INSERT INTO "kinds" VALUES('load','','pending','nats','local',0);
INSERT INTO "kinds" VALUES('collect','','pending','nats','local',0);
INSERT INTO "kinds" VALUES('collect','succeeded','pending','nats','local',0);
INSERT INTO "kinds" VALUES('destroy','succeeded','pending','nats','local',0);
INSERT INTO "kinds" VALUES('verify','succeeded','pending','nats','local',0);
INSERT INTO "kinds" VALUES('ended','succeeded','clean','nats','local',2);
INSERT INTO "kinds" VALUES('provision','','pending','kinesis','local',0);
INSERT INTO "kinds" VALUES('prepare','','pending','kinesis','local',0);
INSERT INTO "kinds" VALUES('load','','pending','kinesis','local',0);
INSERT INTO "kinds" VALUES('collect','','pending','kinesis','local',0);
INSERT INTO "kinds" VALUES('collect','succeeded','pending','kinesis','local',0);
INSERT INTO "kinds" VALUES('destroy','succeeded','pending','kinesis','local',0);
INSERT INTO "kinds" VALUES('verify','succeeded','pending','kinesis','local',0);
INSERT INTO "kinds" VALUES('ended','succeeded','clean','kinesis','local',1);
CREATE TABLE obligations (
    run           TEXT    NOT NULL PRIMARY KEY REFERENCES runs (id),
    admitted_at   BIGINT  NOT NULL,
    discharged_at BIGINT  NOT NULL,
    receipt       TEXT    NOT NULL,
    leaks         INTEGER NOT NULL, -- how often it was given up for a day
    problem       TEXT    NOT NULL
);
INSERT INTO "obligations" VALUES('r5r04jx6mq',1796023066856000000,1796023080989000000,'{"at":"2026-11-30T07:18:00.940017574Z","statement":"Nothing is left: no attempt is alive, 6 objects are gone (6 by destroy, 0 by the sweep, 0 never created), and 2 sweeps 1s apart found nothing.","objects":[{"kind":"port","id":"21199","address":"module.nodes.dec_port.port[\"server-0-client\"]","by":"destroy","seconds_alive":10.12},{"kind":"port","id":"24034","address":"module.nodes.dec_port.port[\"server-0-cluster\"]","by":"destroy","seconds_alive":10.079},{"kind":"port","id":"26134","address":"module.nodes.dec_port.port[\"server-0-monitor\"]","by":"destroy","seconds_alive":10.126},{"kind":"process","id":"r5r04jx6mq-consumer-0","address":"module.nodes.dec_process.service[\"consumer-0\"]","by":"destroy","seconds_alive":9.477},{"kind":"process","id":"r5r04jx6mq-producer-0","address":"module.nodes.dec_process.service[\"producer-0\"]","by":"destroy","seconds_alive":9.379},{"kind":"process","id":"r5r04jx6mq-server-0","address":"module.nodes.dec_process.service[\"server-0\"]","by":"destroy","seconds_alive":9.571}],"quiet_sweeps":2}',0,'');
INSERT INTO "obligations" VALUES('rwriaxhr8u',1796023066856000000,1796023096420000000,'{"at":"2026-11-30T07:18:16.391420976Z","statement":"Nothing is left: no attempt is alive, 4 objects are gone (4 by destroy, 0 by the sweep, 0 never created), and 2 sweeps 1s apart found nothing.","objects":[{"kind":"port","id":"27151","address":"module.nodes.dec_port.port[\"emulator-0-http\"]","by":"destroy","seconds_alive":11.035},{"kind":"process","id":"rwriaxhr8u-consumer-0","address":"module.nodes.dec_process.service[\"consumer-0\"]","by":"destroy","seconds_alive":10.631},{"kind":"process","id":"rwriaxhr8u-emulator","address":"module.nodes.dec_process.service[\"emulator\"]","by":"destroy","seconds_alive":9.932},{"kind":"process","id":"rwriaxhr8u-producer-0","address":"module.nodes.dec_process.service[\"producer-0\"]","by":"destroy","seconds_alive":10.531}],"quiet_sweeps":2}',0,'');
INSERT INTO "obligations" VALUES('ru8ogdmszk',1796023096420000000,1796023110028000000,'{"at":"2026-11-30T07:18:29.945009081Z","statement":"Nothing is left: no attempt is alive, 6 objects are gone (6 by destroy, 0 by the sweep, 0 never created), and 2 sweeps 1s apart found nothing.","objects":[{"kind":"port","id":"22218","address":"module.nodes.dec_port.port[\"server-0-client\"]","by":"destroy","seconds_alive":9.473},{"kind":"port","id":"29665","address":"module.nodes.dec_port.port[\"server-0-cluster\"]","by":"destroy","seconds_alive":9.471},{"kind":"port","id":"24421","address":"module.nodes.dec_port.port[\"server-0-monitor\"]","by":"destroy","seconds_alive":9.472},{"kind":"process","id":"ru8ogdmszk-consumer-0","address":"module.nodes.dec_process.service[\"consumer-0\"]","by":"destroy","seconds_alive":9.021},{"kind":"process","id":"ru8ogdmszk-producer-0","address":"module.nodes.dec_process.service[\"producer-0\"]","by":"destroy","seconds_alive":9.121},{"kind":"process","id":"ru8ogdmszk-server-0","address":"module.nodes.dec_process.service[\"server-0\"]","by":"destroy","seconds_alive":9.122}],"quiet_sweeps":2}',0,'');
INSERT INTO "obligations" VALUES('rcfwl2supr',1796023111285000000,0,'',0,'');
CREATE TABLE removals (
    n   INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    seq BIGINT  NOT NULL
);
CREATE TABLE results (
    run    TEXT   NOT NULL PRIMARY KEY REFERENCES runs (id),
    at     BIGINT NOT NULL,
    result TEXT   NOT NULL
);
INSERT INTO "results" VALUES('r5r04jx6mq',1796023076888000000,'{"counts":{"offered":200,"sent":200,"unsent":0,"acked":200,"failed":0,"received":200,"lost":0,"duplicates":0,"reordered":0,"corrupt":0,"bytes":204800},"publish_latency":{"count":200,"min_ns":211072,"p50_ns":1114111,"p90_ns":12328959,"p95_ns":18235391,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":32423935,"mean_ns":4086572.480000001},"publish_service":{"count":200,"min_ns":209408,"p50_ns":611327,"p90_ns":7167999,"p95_ns":12861439,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":27574271,"mean_ns":2699490.2399999993},"e2e_latency":{"count":200,"min_ns":297984,"p50_ns":1210367,"p90_ns":12443647,"p95_ns":18382847,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":36667391,"mean_ns":4206859.52},"e2e_service":{"count":200,"min_ns":268288,"p50_ns":778751,"p90_ns":7446527,"p95_ns":13025279,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":26869759,"mean_ns":2819703.6799999992},"pacer_lateness":{"count":200,"min_ns":4,"p50_ns":22431,"p90_ns":4259839,"p95_ns":8302591,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":27639807,"mean_ns":1386949.9850000003},"backpressure":{"count":200,"zero":200,"min_ns":0,"p50_ns":0,"p90_ns":0,"p95_ns":0,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":0,"mean_ns":0},"throughput_per_s":100,"cpu":{"agent_s":0.07694,"broker_s":0.06598121658116782,"broker_s_per_million":329.90608290583907,"broker_rss_bytes":19111936},"guarantees":{"producer_ack":"all","durability":"page_cache","replicas":1,"min_in_sync":1,"zones":1,"details":{"client":"nats.go","consumer_ack":"explicit","discard":"DiscardOld","max_bytes":"2147483648","password":"false","prefetch":"5000","storage":"File","sync_interval":"2m","version":"2.15.2"},"raise":{"durability":"sync_interval: always, with storage: file","min_in_sync":"as many servers and workload.topology.replicas that a majority of them is {want}","replicas":"servers: {want} and workload.topology.replicas: {want}"}},"clock_bound_ns":0,"validity":{"ok":false,"reasons":["The load generator was late: p99 of the pacer''s lateness is 18.301ms, at most 5ms is allowed. Use a lower rate, more producer nodes or a machine with less other work."]},"agents":[{"id":"consumer-0","role":"consumer","host":"vm","os":"Linux 6.18.44-fc-v669 amd64","cpu_model":"Intel(R) Xeon(R) Processor","cpus":1,"memory_bytes":25276502016,"timer":"clock_nanosleep","clock_bound_ns":16000000000,"machine_id":"9313f1e5c3c5375c","self_check":{"count":2000,"zero":6,"min_ns":0,"p50_ns":8135,"p90_ns":3721215,"p95_ns":9805823,"p99_ns":17104895,"p999_ns":null,"p9999_ns":null,"max_ns":24395775,"mean_ns":1226028.1744999997},"delay_error_ns":9191,"version":"(devel)","gc_pause_ns":0},{"id":"producer-0","role":"producer","host":"vm","os":"Linux 6.18.44-fc-v669 amd64","cpu_model":"Intel(R) Xeon(R) Processor","cpus":1,"memory_bytes":25276502016,"timer":"clock_nanosleep","clock_bound_ns":16000000000,"machine_id":"9313f1e5c3c5375c","self_check":{"count":2000,"zero":4,"min_ns":0,"p50_ns":7835,"p90_ns":2867199,"p95_ns":8101887,"p99_ns":16539647,"p999_ns":null,"p9999_ns":null,"max_ns":33914879,"mean_ns":1103763.9794999997},"delay_error_ns":8300,"version":"(devel)","gc_pause_ns":0}],"versions":{"go":"go1.26.8","platform":"linux/amd64","version":"development"},"timeline":[{"second":0,"stage":"measure","counts":{"offered":100,"sent":102,"unsent":0,"acked":99,"failed":0,"received":100,"lost":0,"duplicates":0,"reordered":0,"corrupt":0,"bytes":104448},"in_flight":3,"backlog":0,"cpu_s":0.038717,"latencies":{"backpressure":{"count":102,"zero":102,"min_ns":0,"p50_ns":0,"p90_ns":0,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":0,"mean_ns":0},"e2e_latency":{"count":100,"min_ns":297984,"p50_ns":1776639,"p90_ns":14802943,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":29360127,"mean_ns":5062428.159999999},"e2e_service":{"count":100,"min_ns":289536,"p50_ns":990207,"p90_ns":8122367,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":26869759,"mean_ns":3193747.1999999997},"pacer_lateness":{"count":102,"min_ns":5,"p50_ns":27135,"p90_ns":6696959,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":27639807,"mean_ns":1950704.3921568627},"publish_latency":{"count":99,"min_ns":220544,"p50_ns":1302527,"p90_ns":null,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":30801919,"mean_ns":4747931.151515152},"publish_service":{"count":99,"min_ns":220544,"p50_ns":827903,"p90_ns":null,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":26722303,"mean_ns":2907386.828282828}}},{"second":1,"stage":"measure","counts":{"offered":100,"sent":98,"unsent":0,"acked":101,"failed":0,"received":100,"lost":0,"duplicates":0,"reordered":0,"corrupt":0,"bytes":100352},"in_flight":0,"backlog":0,"cpu_s":0.040575,"latencies":{"backpressure":{"count":98,"zero":98,"min_ns":0,"p50_ns":0,"p90_ns":null,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":0,"mean_ns":0},"e2e_latency":{"count":100,"min_ns":320512,"p50_ns":1003519,"p90_ns":8699903,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":36667391,"mean_ns":3351290.88},"e2e_service":{"count":100,"min_ns":268288,"p50_ns":599551,"p90_ns":6598655,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":25591807,"mean_ns":2445660.1599999997},"pacer_lateness":{"count":98,"min_ns":4,"p50_ns":14783,"p90_ns":null,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":17711103,"mean_ns":800185.193877551},"publish_latency":{"count":101,"min_ns":211072,"p50_ns":987647,"p90_ns":8642559,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":32423935,"mean_ns":3438310.019801981},"publish_service":{"count":101,"min_ns":209408,"p50_ns":508159,"p90_ns":7167999,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":27574271,"mean_ns":2495710.415841584}}},{"second":2,"stage":"drain","counts":{"offered":0,"sent":0,"unsent":0,"acked":0,"failed":0,"received":0,"lost":0,"duplicates":0,"reordered":0,"corrupt":0,"bytes":0},"in_flight":0,"backlog":0,"cpu_s":0.009522000000000003,"latencies":{}},{"second":3,"stage":"drain","counts":{"offered":0,"sent":0,"unsent":0,"acked":0,"failed":0,"received":0,"lost":0,"duplicates":0,"reordered":0,"corrupt":0,"bytes":0},"in_flight":0,"backlog":0,"cpu_s":0.003370999999999985,"latencies":{}}],"histograms":{"backpressure":"HISTFAAAACl42pJpmSzMwMDAxAABzFCakYGB2c1gxwIG+w8QgQnMgAAAAP//WDgE4A==","e2e_latency":"HISTFAAAAU942izQMWhTYRTF8e/+HuERwiOE0KHEEMKjiGSoRUIoHSQELaEUkU5FOomDdHDo0Fl0cXDQDhlcBOnqquLgIA6O4iCO0sHBxY7iIl/qvcOFyzkHzv/S45NuSvE6XUzx/0ZKxc2rb1+m678vHovnYehJmNi0oVK6onJDKVEYSFraquXWSk0jq4wlfaVKkoztaVgnKfWzMQtLIxsKPXPJ01AqvApTpY5CQ/IoVFa1XDPS1VRLjozNDB3ad1eloXbgRWg7kBx7E+74EZps6xvY1TPRUtrzLvxkx8OwZsvceRj4ltXJadhxkpOGKoWpSpuuWu2yUte2iT/hWbhlZJDpNB35EgqHPoRjepKBoamzsJLDP0fussLHcN9t35nZsq5jX2dZfREaPoWZNV/DrkUGdhY29ZwW+iY6Hri3ZPpXRnbO3K8M6X3DvwAAAP//5143qw==","e2e_service":"HISTFAAAAUl42izQv2sUfRAG8O98do9lWV6W4ziOI+9xHMsV4QjRQoIEOSSgpApWQcJhYSEiFmIlFiLaiSCIiIi/SGEpKQI2lmItFv4BFra2YiO7cZphnuF5nnnm/4dPBynF63RS2b8eKWUXTn18m5a/ToAPT8JhWHoTdozVpkoZG04bK/T01JIkk0nmig6dSBYK/9mWyBT6BnSkulWoDFVKSUNSWjO06PYGeannVZjbdEUydkajMjczVSgNJLsu2XTOTGGoVrtoIZm42Snd5ay+mT8hWVm6Y+Wemedc12hMFBqFvHLguM1wNS+NbHgQpnbs+tqeUTsOQ4/CbX17ne2adeuKzvAa257ltlz2M1rOnp7SynkzlfvB1MhI7ZAtR+Fb+4SBTyFrxy8cuOFxtME/h1tW9v0OL0Plfdh3lHsXvmd+yF+EvwEAAP//wBQyvA==","pacer_lateness":"HISTFAAAAWN42izQP2hTURQG8Hd/9z1jhBJCKB00BCkOpYQoRSRIkQ4VilMI4hCkFHEoHYs4OAkWEacSikgRLA4dQikiikEkkzg4SXDq4OQkglKkuMm1Hj44nO8M358zD/q1LAtvsuOJ/3fIsnj1/Nvn2ZWfx0TJyUyW5zJyTuSwzZppM35RdciKurNu6doNvkfjaDM3ZxiNKBkEr4qEQxbtBTVlNW3z2nZoKZlU03NHz0OaupZ1HEV1j4NhcM+KeTeteh/U84YtOqpeMmlG4YLomoqK7aDqY/AheB3s0zZtOelOia5bdRDMKVtQmNUw5bIJC9oK55TtB4+C0yqGhc/BAX/+UeNTdvmd20uhu1o+lUy5bVyoyTwLnuapn1G07q6tpFM1YSM34IVkqGdJx5Jv7ERHIeFJSLGaJtzQUNGX3I8YlNJj1kVrmr4WvkSXbATrWjaDH9E7yvpl0WI67xf+BgAA///pKU69","publish_latency":"HISTFAAAAU142izQP2tTcRTG8d/53Hu9hBDKJYQSNEgJwSFIDEFCCRJK0Izi4CDFWURExEE6ChYpTiLFQYoW7SROUnQRZ3F0dPIdCOLgJjf1nOHAc/59ec48ft5OKd6mk8j+10gpu3Lh0+s0/3Ui/NwLz8JRpnDe01AYa3JNpWGg1DTWtaHI+zKVYa6ZF1pmegojXR1JR0NbS7bKszoyM38jL1SWq9GGLYXbzqncODXUW93f1DWrP1cyIy/Cmg0TlygNDCz0Te2GbZ+tmkOH4RUT30Lppsq6haW+LXOZD9yx8CbcN+VLmNgPy3qp50/YVChk+WmllpGkp++iH2FHq4aYSg5C03HtyVGY+10Tlbp525qFAzY88JXL1rwP17Vd9Z1tpXuaKjv6Hhq7W2PMaq6OXZJ9K7+e5NbdkuyFd+FjaHgUjjMvw6Fa6/gXAAD//8ntNvo=","publish_service":"HISTFAAAAUB42izPsWsTYRiA8e/7fXccx3GUUMoRYpASQjg6aJESQpAOEp2kdHYQkQ6dikOn4FDUQTo66CK4dxIRdZAiIp0cncVZBP8DJUnf5eV94H3gufL0xXoI8VVYTbrcMYR0+/rHN2H37wpcPI/Oop/clOSGcg+13NBR2lQYCPpahdpYUsizwqakyerlXekp9fXoCWoLlnU1CuVCVmpc1bOvMVOYKmyrrNlXy3XkJoJrto303SFpdW25r2+iVamNVHaW70OtUmVAx8vo2Iauf9GfmAXr5tacR++SqRmN3UVR4W3kwI9oYsdJ9C1qDYw59siT6De579G9bKiSlMvALSPnfIpseGDoyIdkIBkbmzmNGrcW2Y2RqQsOBa+TZ9FA7dBdX5ibex8d2bPn8cpxEp3yNfM5OpON/Moc+B8AAP//MLwzmA=="},"plan":{"name":"of the previous build","target":"local","compare":"e2e_p99","workload":{"require":{},"topology":{"partitions":1,"replicas":1,"producers":1,"consumer_groups":1,"consumers_per_group":1,"producer_nodes":1,"consumer_nodes":1},"load":{"rate":100,"arrivals":"uniform","max_in_flight":10000},"message":{"size":"1KiB","key":"none"},"stages":{"warmup":"0s","measure":"2s","drain":"5s"},"retention_bytes":"2GiB","seed":42},"variants":[{"label":"file","technology":"nats","stack":"jetstream","options":{"max_buffered_msgs":100000,"servers":1,"storage":"file","sync_interval":"2m"}},{"label":"kinesis-emulator","technology":"kinesis","stack":"emulator","options":{"consumers":"polling","engine":"kinesalite","shard_limits":false}}],"repeat":1,"limits":{"ttl":"1h"}}}');
INSERT INTO "results" VALUES('rwriaxhr8u',1796023093218000000,'{"counts":{"offered":200,"sent":200,"unsent":0,"acked":200,"failed":0,"received":200,"lost":0,"duplicates":0,"reordered":0,"corrupt":0,"bytes":204800},"publish_latency":{"count":200,"min_ns":2187264,"p50_ns":18448383,"p90_ns":90243071,"p95_ns":126681087,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":179175423,"mean_ns":36516223.99999999},"publish_service":{"count":200,"min_ns":2172928,"p50_ns":18202623,"p90_ns":90177535,"p95_ns":120193023,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":179175423,"mean_ns":35820595.199999996},"e2e_latency":{"count":200,"min_ns":18186240,"p50_ns":177602559,"p90_ns":275775487,"p95_ns":307757055,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":357564415,"mean_ns":173668720.64000002},"e2e_service":{"count":200,"min_ns":18169856,"p50_ns":175767551,"p90_ns":275775487,"p95_ns":306184191,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":357564415,"mean_ns":172977971.20000002},"pacer_lateness":{"count":200,"min_ns":3,"p50_ns":14047,"p90_ns":1654783,"p95_ns":3846143,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":18055167,"mean_ns":695847.445},"backpressure":{"count":200,"zero":200,"min_ns":0,"p50_ns":0,"p90_ns":0,"p95_ns":0,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":0,"mean_ns":0},"throughput_per_s":86,"cpu":{"agent_s":0.09944699999999997,"broker_s":0.22219503997579867,"broker_s_per_million":1110.9751998789932,"broker_rss_bytes":61140992},"guarantees":{"producer_ack":"all","durability":"memory","replicas":1,"min_in_sync":1,"zones":1,"details":{"batch_max_bytes":"5242880","batch_max_records":"500","capacity":"provisioned","client":"aws-sdk-go-v2 1.56.11","consumers":"polling","delivery_timeout_ms":"120000","encryption":"NONE","limits":"none enforced","linger_ms":"5","poll_interval_ms":"200","poll_max_records":"10000","requests_per_shard":"1","retention_hours":"24","shards":"1","strict_order":"true","version":"kinesalite 3.3.3"},"emulator":"kinesalite 3.3.3","nature":"Amazon Kinesis itself copies each record to three Availability Zones before it acknowledges it."},"clock_bound_ns":0,"validity":{"ok":true},"agents":[{"id":"consumer-0","role":"consumer","host":"vm","os":"Linux 6.18.44-fc-v669 amd64","cpu_model":"Intel(R) Xeon(R) Processor","cpus":1,"memory_bytes":25276502016,"timer":"clock_nanosleep","clock_bound_ns":16000000000,"machine_id":"9313f1e5c3c5375c","self_check":{"count":2000,"zero":15,"min_ns":0,"p50_ns":6335,"p90_ns":1347583,"p95_ns":4657151,"p99_ns":13869055,"p999_ns":null,"p9999_ns":null,"max_ns":22872063,"mean_ns":706397.9134999999},"delay_error_ns":7439,"version":"(devel)","gc_pause_ns":0},{"id":"producer-0","role":"producer","host":"vm","os":"Linux 6.18.44-fc-v669 amd64","cpu_model":"Intel(R) Xeon(R) Processor","cpus":1,"memory_bytes":25276502016,"timer":"clock_nanosleep","clock_bound_ns":16000000000,"machine_id":"9313f1e5c3c5375c","self_check":{"count":2000,"zero":10,"min_ns":0,"p50_ns":8271,"p90_ns":1654783,"p95_ns":6029311,"p99_ns":17776639,"p999_ns":null,"p9999_ns":null,"max_ns":32112639,"mean_ns":900789.7000000001},"delay_error_ns":9810,"version":"(devel)","gc_pause_ns":0}],"versions":{"go":"go1.26.8","platform":"linux/amd64","version":"development"},"timeline":[{"second":0,"stage":"measure","counts":{"offered":100,"sent":101,"unsent":0,"acked":100,"failed":0,"received":96,"lost":0,"duplicates":0,"reordered":0,"corrupt":0,"bytes":103424},"in_flight":1,"backlog":4,"cpu_s":0.05055,"latencies":{"backpressure":{"count":101,"zero":101,"min_ns":0,"p50_ns":0,"p90_ns":0,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":0,"mean_ns":0},"e2e_latency":{"count":96,"min_ns":18251776,"p50_ns":185729023,"p90_ns":null,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":331612159,"mean_ns":176023807.99999997},"e2e_service":{"count":96,"min_ns":18235392,"p50_ns":185729023,"p90_ns":null,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":331612159,"mean_ns":175361621.33333334},"pacer_lateness":{"count":101,"min_ns":3,"p50_ns":12543,"p90_ns":1813503,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":11804671,"mean_ns":636105.405940594},"publish_latency":{"count":100,"min_ns":2187264,"p50_ns":24412159,"p90_ns":126681087,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":179175423,"mean_ns":49107118.08},"publish_service":{"count":100,"min_ns":2172928,"p50_ns":22118399,"p90_ns":120193023,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":179175423,"mean_ns":48466657.28}}},{"second":1,"stage":"measure","counts":{"offered":100,"sent":99,"unsent":0,"acked":96,"failed":0,"received":76,"lost":0,"duplicates":0,"reordered":0,"corrupt":0,"bytes":101376},"in_flight":4,"backlog":24,"cpu_s":0.056461,"latencies":{"backpressure":{"count":99,"zero":99,"min_ns":0,"p50_ns":0,"p90_ns":null,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":0,"mean_ns":0},"e2e_latency":{"count":76,"min_ns":18186240,"p50_ns":145883135,"p90_ns":null,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":253493247,"mean_ns":145250627.36842105},"e2e_service":{"count":76,"min_ns":18169856,"p50_ns":145883135,"p90_ns":null,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":252706815,"mean_ns":144878106.94736844},"pacer_lateness":{"count":99,"min_ns":9,"p50_ns":24095,"p90_ns":null,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":18055167,"mean_ns":756796.393939394},"publish_latency":{"count":96,"min_ns":5926912,"p50_ns":14663679,"p90_ns":null,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":80543743,"mean_ns":22521450.666666668},"publish_service":{"count":96,"min_ns":5251072,"p50_ns":14311423,"p90_ns":null,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":80543743,"mean_ns":21751999.999999996}}},{"second":2,"stage":"drain","counts":{"offered":0,"sent":0,"unsent":0,"acked":4,"failed":0,"received":28,"lost":0,"duplicates":0,"reordered":0,"corrupt":0,"bytes":0},"in_flight":0,"backlog":0,"cpu_s":0.015959999999999988,"latencies":{"e2e_latency":{"count":28,"min_ns":147456000,"p50_ns":227540991,"p90_ns":null,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":357564415,"mean_ns":242728960.00000003},"e2e_service":{"count":28,"min_ns":145489920,"p50_ns":227278847,"p90_ns":null,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":357564415,"mean_ns":241076516.57142863},"publish_latency":{"count":4,"min_ns":45187072,"p50_ns":null,"p90_ns":null,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":70057983,"mean_ns":57618432},"publish_service":{"count":4,"min_ns":45187072,"p50_ns":null,"p90_ns":null,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":69074943,"mean_ns":57315328}}},{"second":3,"stage":"drain","counts":{"offered":0,"sent":0,"unsent":0,"acked":0,"failed":0,"received":0,"lost":0,"duplicates":0,"reordered":0,"corrupt":0,"bytes":0},"in_flight":0,"backlog":0,"cpu_s":0.011779000000000012,"latencies":{}},{"second":4,"stage":"drain","counts":{"offered":0,"sent":0,"unsent":0,"acked":0,"failed":0,"received":0,"lost":0,"duplicates":0,"reordered":0,"corrupt":0,"bytes":0},"in_flight":0,"backlog":0,"cpu_s":0.002035000000000009,"latencies":{}}],"histograms":{"backpressure":"HISTFAAAACl42pJpmSzMwMDAxAABzFCakYGB2c1gxwIG+w8QgQnMgAAAAP//WDgE4A==","e2e_latency":"HISTFAAAAON42kyPMUoEMRSGX77sGoYthiWEIFGWYcswrJ1sIWIjTGlpJRYeQS+gnsDCVhArKztbS2+jN5BMYnZSvLzve+8n5ODhyYqoO8lHl1uJ6POjzxc5/cni/Vcx59HwAYb7PZ4Vwpfmhg3CLd/QcDmFCzxseVVoIn625S23bqrhmGvOdoOrAn4KZRIRLItZYMOKZE3pk8dAoC8k46ynq3seV1P7CG7k/6RH8Ni0n8NJLNFZOegK19AaoWWOrS92owk14Ais0k/WWE5S42k4ZEFLQyx1iaGnLTWZQGRg4C8AAP//uNofyQ==","e2e_service":"HISTFAAAARR42iyOv0ozQRTF7/525luGISwhDMOST0IIQcIUq4QUS4p0QirxCVKK2AliZaXiA1hYCbaWdnZWPoevoG8gdzZb3L3nnj9z/t8/jUSKK+m/cv8vRMqTo49X2fz0h7ffAstDxTs47v7xXCB8lpzTIlzzhbnI645vlZwRoeOxoKGkw9HxUuBZ9MQlS5YEXXe0DFgpmNFxixAINJmaE1hhGbBmR0IYYSnzPDUQqMCzYZIpgYaWQwXGm9pYpiywRJwZE/AkNTmjAY7Z3qcpESEyomaYkyqj02U8I5+mKqwwa6JhbqJG1Xj1jrG53gSbpVabzEk0cMOwr8ABnhpLi2dAYkjFNL9xrK1IjEls2fIXAAD//zgVH84=","pacer_lateness":"HISTFAAAAXR42izQMWiTXRjF8Xt/b9KXfKGUkuGj1BAkSAlFYhDpEEooQYuDiEPoJBmKOIg4iENw1cnBoQQRkQpFRIo4OFQQJ4cixSk4iBSRDhlE6ibioNzUO9zncg/P+XPOsTsblRDiKByd7N+MIWTnTr1+Ejo/jj6KigL5ZAR176IZ9/gafaLskvOa1m1Gueu66nZY8pIFP6O96G70IBpnVpQcRDXPozKfo1VVNdfUvIlKls3rCnq22Ez2095GAxdUBU0ryWnVXGLcj1pybTXBWhJmPYz6bjmhZZgYN+WW9a3bjype0DLvcXRVrqSh4REzhtRtJcOOWeXJvZQgbT1X/K9pP9NX9SuFW1RO+EWH0ffcKDerpuJpwbfoI+OY+Lu8YpRp+ROtJe42Z00rOW5BN8ldbbd1jKe8T0VfTFXOKDFQV9TQS143nEwdbRT8zmSctp2n9UmAzF7RmaQPPJsy55DLdjMHfCn4IL2HBVU7//kbAAD//6fHUZA=","publish_latency":"HISTFAAAATZ42izPMWuTURSH8Xt/94YQXkJ5iaWUawklBAkhxCBSgpTSxeDQSUro4FRCh44ODuImiC4OxVHwG4iD6Kg4+gH8AH4Bdxd583rv8HCewzmH/+2XN4MQ4pvQvvSfMYT08O7XD+HkTyt+fYs+3vI9+h0N7ZspioM8NtBVOyQY5R2n+cTcpR3Jp2jkmJ4g4dILyZWJjiRlu2qBpCu5IxgqOhb6OvatHemrPTAStv9MMHah69jQUmWgp6uoVV5FR4InHunbKILFtnmuY2W+Heo58DmamXnmUN/ImVMDS1NLxcZc7dqF3SZw5W20n8dW7umbs1ZUrt03s6d4bGqVW3vuXVTyz5jXufgb7TWiypMc9Dz31FTQ9SVamkjNhY3Q4KpFU/1o8T5acBObYJXXsVn1LwAA//8rby6/","publish_service":"HISTFAAAAT542izPMWsUYRDG8ff9vXssS1jDIcuxrIeEQySE5TzCcYgcYhHB8hAJEkQkpJAgVhZiYaFgb5C0WlhZ2lgaUllYW/oJBPs0YTeZYh6eGebhP9feH10NIX4MF5UuNYaQ7t/68Tnc/X8x+PUzOrviD3+j0+TAzG21pDRhLBes970wliRBrVKbu6k1s2PhtallVkjZwNDQrn2lx4r+biQnGPd20EcEI3PrKlsqDb+jkeTG5Ta3rbTpqdqk51nJldlOdhI9s2fPxEJi14YHPUgrd93QcTQw1dryQq71Lqrd6RA2PPHKtudahX9RofIhqrPGW0MzK2YOTSyNjK20FkqPNJk1D7vwJvsavbSmcRZV9rPGVNO/+saX2ON/j5Y2BafRgeCkk9TJPYXatw7nOJoLjqJDdec+RecBAAD//3v8L7s="},"plan":{"name":"of the previous build","target":"local","compare":"e2e_p99","workload":{"require":{},"topology":{"partitions":1,"replicas":1,"producers":1,"consumer_groups":1,"consumers_per_group":1,"producer_nodes":1,"consumer_nodes":1},"load":{"rate":100,"arrivals":"uniform","max_in_flight":10000},"message":{"size":"1KiB","key":"none"},"stages":{"warmup":"0s","measure":"2s","drain":"5s"},"retention_bytes":"2GiB","seed":42},"variants":[{"label":"file","technology":"nats","stack":"jetstream","options":{"max_buffered_msgs":100000,"servers":1,"storage":"file","sync_interval":"2m"}},{"label":"kinesis-emulator","technology":"kinesis","stack":"emulator","options":{"consumers":"polling","engine":"kinesalite","shard_limits":false}}],"repeat":1,"limits":{"ttl":"1h"}}}');
INSERT INTO "results" VALUES('ru8ogdmszk',1796023106335000000,'{"counts":{"offered":200,"sent":200,"unsent":0,"acked":200,"failed":0,"received":200,"lost":0,"duplicates":0,"reordered":0,"corrupt":0,"bytes":204800},"publish_latency":{"count":200,"min_ns":141952,"p50_ns":279295,"p90_ns":1990655,"p95_ns":2678783,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":20381695,"mean_ns":880780.4800000002},"publish_service":{"count":200,"min_ns":125312,"p50_ns":244351,"p90_ns":1552383,"p95_ns":2152447,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":20135935,"mean_ns":668902.5599999997},"e2e_latency":{"count":200,"min_ns":189952,"p50_ns":385023,"p90_ns":2160639,"p95_ns":3094527,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":18677759,"mean_ns":989044.16},"e2e_service":{"count":200,"min_ns":189184,"p50_ns":321279,"p90_ns":1721343,"p95_ns":2385919,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":18431999,"mean_ns":777195.2000000002},"pacer_lateness":{"count":200,"min_ns":6,"p50_ns":7215,"p90_ns":347903,"p95_ns":758783,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":9854975,"mean_ns":211779.87000000002},"backpressure":{"count":200,"zero":200,"min_ns":0,"p50_ns":0,"p90_ns":0,"p95_ns":0,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":0,"mean_ns":0},"throughput_per_s":100,"cpu":{"agent_s":0.070686,"broker_s":0.05589880989937599,"broker_s_per_million":279.49404949687994,"broker_rss_bytes":18993152},"guarantees":{"producer_ack":"all","durability":"page_cache","replicas":1,"min_in_sync":1,"zones":1,"details":{"client":"nats.go","consumer_ack":"explicit","discard":"DiscardOld","max_bytes":"2147483648","password":"false","prefetch":"5000","storage":"File","sync_interval":"2m","version":"2.15.2"},"raise":{"durability":"sync_interval: always, with storage: file","min_in_sync":"as many servers and workload.topology.replicas that a majority of them is {want}","replicas":"servers: {want} and workload.topology.replicas: {want}"}},"clock_bound_ns":0,"validity":{"ok":true},"agents":[{"id":"consumer-0","role":"consumer","host":"vm","os":"Linux 6.18.44-fc-v669 amd64","cpu_model":"Intel(R) Xeon(R) Processor","cpus":1,"memory_bytes":25276502016,"timer":"clock_nanosleep","clock_bound_ns":16000000000,"machine_id":"9313f1e5c3c5375c","self_check":{"count":2000,"zero":11,"min_ns":0,"p50_ns":6179,"p90_ns":242175,"p95_ns":1298431,"p99_ns":5881855,"p999_ns":null,"p9999_ns":null,"max_ns":17170431,"mean_ns":258604.84299999996},"delay_error_ns":5311,"version":"(devel)","gc_pause_ns":0},{"id":"producer-0","role":"producer","host":"vm","os":"Linux 6.18.44-fc-v669 amd64","cpu_model":"Intel(R) Xeon(R) Processor","cpus":1,"memory_bytes":25276502016,"timer":"clock_nanosleep","clock_bound_ns":16000000000,"machine_id":"9313f1e5c3c5375c","self_check":{"count":2000,"zero":19,"min_ns":0,"p50_ns":4611,"p90_ns":272639,"p95_ns":1181695,"p99_ns":8138751,"p999_ns":null,"p9999_ns":null,"max_ns":20905983,"mean_ns":303372.0189999999},"delay_error_ns":2981,"version":"(devel)","gc_pause_ns":0}],"versions":{"go":"go1.26.8","platform":"linux/amd64","version":"development"},"timeline":[{"second":0,"stage":"measure","counts":{"offered":100,"sent":101,"unsent":0,"acked":100,"failed":0,"received":100,"lost":0,"duplicates":0,"reordered":0,"corrupt":0,"bytes":103424},"in_flight":1,"backlog":0,"cpu_s":0.037723000000000007,"latencies":{"backpressure":{"count":101,"zero":101,"min_ns":0,"p50_ns":0,"p90_ns":0,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":0,"mean_ns":0},"e2e_latency":{"count":100,"min_ns":195328,"p50_ns":384767,"p90_ns":1677311,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":6238207,"mean_ns":781212.7999999999},"e2e_service":{"count":100,"min_ns":189440,"p50_ns":329215,"p90_ns":1327103,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":6082559,"mean_ns":687870.08},"pacer_lateness":{"count":101,"min_ns":6,"p50_ns":5887,"p90_ns":132735,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":3108863,"mean_ns":94728.8613861386},"publish_latency":{"count":100,"min_ns":157184,"p50_ns":265471,"p90_ns":1891327,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":5984255,"mean_ns":635116.1599999998},"publish_service":{"count":100,"min_ns":150144,"p50_ns":238847,"p90_ns":1398783,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":5173247,"mean_ns":541791.3599999999}}},{"second":1,"stage":"measure","counts":{"offered":100,"sent":99,"unsent":0,"acked":100,"failed":0,"received":100,"lost":0,"duplicates":0,"reordered":0,"corrupt":0,"bytes":101376},"in_flight":0,"backlog":0,"cpu_s":0.03819,"latencies":{"backpressure":{"count":99,"zero":99,"min_ns":0,"p50_ns":0,"p90_ns":null,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":0,"mean_ns":0},"e2e_latency":{"count":100,"min_ns":189952,"p50_ns":388351,"p90_ns":2719743,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":18677759,"mean_ns":1196875.52},"e2e_service":{"count":100,"min_ns":189184,"p50_ns":319743,"p90_ns":1886207,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":18431999,"mean_ns":866520.3200000001},"pacer_lateness":{"count":99,"min_ns":14,"p50_ns":9343,"p90_ns":null,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":9854975,"mean_ns":331195.5454545455},"publish_latency":{"count":100,"min_ns":141952,"p50_ns":301055,"p90_ns":2461695,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":20381695,"mean_ns":1126444.7999999998},"publish_service":{"count":100,"min_ns":125312,"p50_ns":251519,"p90_ns":1759231,"p95_ns":null,"p99_ns":null,"p999_ns":null,"p9999_ns":null,"max_ns":20135935,"mean_ns":796013.76}}},{"second":2,"stage":"drain","counts":{"offered":0,"sent":0,"unsent":0,"acked":0,"failed":0,"received":0,"lost":0,"duplicates":0,"reordered":0,"corrupt":0,"bytes":0},"in_flight":0,"backlog":0,"cpu_s":0.010695999999999983,"latencies":{}},{"second":3,"stage":"drain","counts":{"offered":0,"sent":0,"unsent":0,"acked":0,"failed":0,"received":0,"lost":0,"duplicates":0,"reordered":0,"corrupt":0,"bytes":0},"in_flight":0,"backlog":0,"cpu_s":0.0023279999999999967,"latencies":{}}],"histograms":{"backpressure":"HISTFAAAACl42pJpmSzMwMDAxAABzFCakYGB2c1gxwIG+w8QgQnMgAAAAP//WDgE4A==","e2e_latency":"HISTFAAAATF42izOMYsTYRDG8ff9ve+yhCWEZQlLiGEJIUg4gh5B5AqxOBAkBDksrFJZih/gekHFSiyusBH8AJZn50ewsLawsLe1EI/s3TAwwzwz/3luvfrQhBDfhOtINzWGkB7d/fopPPxzPbh4HVVOPbXwJRraGSmtHAmCRiFYmBpYW1ow02iF3OYJIQcqycxEqVMrBSMDSSL0OcyUGslIIdeKXi/Vgkrfzp0bqdQqU+lwtumFQiN4ZmyltT1YaM21dvlIo3HsAOzy0sCkRw51SvdsPfc32jgTbCwd3/xMaitLJ/bWnngfNRbeRndcRKfGdm7b6lRe2Bv7THdYODG1NVXZaa29NONX0vmYzP2IHrhvn88MnBu4pPY/6mw0fhb+Zd+y2mPvsu/ZZeF35SoAAP//634oyQ==","e2e_service":"HISTFAAAASt42izNsYoTURTG8Xt/d4bhEoYwDENYowQJS5BliSIWKUSWgGGLxUIslrD4ACI+gIUWwhZiJZJSX8DCTqt9BgsLa2vBR5CZ7CnOgfN93/+7+e5jG0J8G/aTrm8MIT2++/1LePRv/3h/GQW11468kl2oBZ2JbKLVSIJDU2MHbgmSStYKKrVKa8SMNCiNMVlTqGl6ITlVDjlKWbb3TiiLZCxoikplZFqEoh4wSVfcUTlm0fvCPtPIpj230jkYoHMnVpayE2dO+/rSbXPBpKg4Niqe9Tz3JEcuo7Wf0X0bYwsPlebDfmHjKuosnVt54xtPLawlax+ivz26tosOzWzNnAlWPkc7Or+jJ674FG0tPdB6buul2g9+RRc2Sn+yc7vC1tcb/gcAAP//EBcmMA==","pacer_lateness":"HISTFAAAAWp42izQsUtVARTH8Xs+9z5fcnnE6yISt8dD5PFokBdIiIiIBIU0hjiESEhEOEREODiEkINERDSERJg0SUREBA0tEf4BEeHYENHQUjhEuMR9dpZz+J3Dl8P31N1HRZLE++So0v89kiQ9f+bds2Tm11GQa2hYNGvNZX/Ckjk7YU3Ngo6mUS0dk5SueMX9ULqtdC+zmfkdLmh5HF7S8S2s2KumETe9DlIdV9WtmNWWG9LWtKzpmlFD1ityW6EnNa3mrEIry7UUJjitbkzqQzipJ5GbsREaJgzrWegT6wql3HxWmPEgZVzdsK5b2saZNqJrMxTqSg9D1zm5nqnq+dyiIYNyqfUwZT801V1Uk1dJ1w7LSjd8Ysxq38GEj+FLZqNmzuewPeC6vfC35k3mZxg0bN5StdsPTzgIP8Jh5ilb4SDtn1xy3HN6tngxYLdycseUt7TtNqz6Ghat5yYdpr6fsH3MvwAAAP//J91Fxg==","publish_latency":"HISTFAAAATZ42izQMYsTQQDF8Znf7rKE3LKEEI4Qj0NCWJbjOA8LOeTYSq9KJRZWfoAgV4mFWIiKiFUQKxvlsEhhr4WfwcrKwk8g2NvIbDIMb5j/PN68mWsv341DiOuwHdlujSFkd298/Ri6v1uweR79jMbkFkqtTKFUORHUBKXATEVh5FSpzGt1z0dGvb33bKehzIHaxIA6SSXbxU1U7iidJhgUDvNG4yyfC+Y6nULhFqUL+8ZKE5ljw5S9b+qmxlQwsNAKvkQPZUI+sfBMf03tyPUEXVp66oo/0XBX9tzntJl5FRVJBlpLjz3QWZhZOTe2jhr3fIheRBdqjzTepBKt9yzTSXDg0LHOVXTf3Ldo6ke0sjJ35HXy3O5fcWLNE2dmLv2K/Xd/j97u+R3927PhU+V/AAAA///coysc","publish_service":"HISTFAAAAS542izOsWoUURgF4Hu/O8MwDMuwDMsyjEsIsogsAwYRixSLCEJqSWElIlZiJSIWCgElhViElCLa+Awq1lZiaSXiA9j4CDI3uc25/zn/f8658PK0CyG+CWcvnWMMId268vlD2P47I76/8IvnOnXR6nRKjbkZOyqVPb0gKJWFpFRZmzZrtZlEUKE8F5OglvQmtdCop/vCzCp/rkvm1kpLLfsqA3vm2WSZ01srrcbM3OOMuuwfXPYIG7VSqza6q7SWLLSGXKz3Khot8nDDIZWgcVVv10Kld+hHtPU3eqIpTiODjUsTe8+ui+44IuWkt9Fx9DPaSA48c8wDjY9y7O/ooQNPjUZbg5PompPkdXTTUbQyehft5wrvo/uWPsVJvu1r9IdvtS87/gcAAP//QBUpiA=="},"plan":{"name":"of the previous build","target":"local","compare":"e2e_p99","workload":{"require":{},"topology":{"partitions":1,"replicas":1,"producers":1,"consumer_groups":1,"consumers_per_group":1,"producer_nodes":1,"consumer_nodes":1},"load":{"rate":100,"arrivals":"uniform","max_in_flight":10000},"message":{"size":"1KiB","key":"none"},"stages":{"warmup":"0s","measure":"2s","drain":"5s"},"retention_bytes":"2GiB","seed":42},"variants":[{"label":"file","technology":"nats","stack":"jetstream","options":{"max_buffered_msgs":100000,"servers":1,"storage":"file","sync_interval":"2m"}},{"label":"kinesis-emulator","technology":"kinesis","stack":"emulator","options":{"consumers":"polling","engine":"kinesalite","shard_limits":false}}],"repeat":1,"limits":{"ttl":"1h"}}}');
CREATE TABLE runs (
    id               TEXT    NOT NULL PRIMARY KEY,
    experiment       TEXT    NOT NULL REFERENCES experiments (id),
    target           TEXT    NOT NULL REFERENCES slots (target),
    variant          TEXT    NOT NULL,
    position         INTEGER NOT NULL,
    extra            BOOLEAN NOT NULL,
    phase            TEXT    NOT NULL,
    outcome          TEXT    NOT NULL,
    valid            BOOLEAN NOT NULL,
    invalid_reasons  TEXT    NOT NULL,
    teardown         TEXT    NOT NULL,
    reason           TEXT    NOT NULL,
    since            BIGINT  NOT NULL,
    started_at       BIGINT  NOT NULL,
    ended_at         BIGINT  NOT NULL,
    expires_at       BIGINT  NOT NULL,
    phases           TEXT    NOT NULL,
    cancel_reason    TEXT    NOT NULL, -- '' until somebody asks for the end of the run
    lease_owner      TEXT    NOT NULL,
    lease_expires_at BIGINT  NOT NULL,
    lease_no         BIGINT  NOT NULL, -- fences the writes of an owner that lost its lease
    wake_at          BIGINT  NOT NULL, place      BIGINT NOT NULL DEFAULT 0, technology TEXT   NOT NULL DEFAULT '', machine    TEXT   NOT NULL DEFAULT '', boot       TEXT   NOT NULL DEFAULT '', home       TEXT   NOT NULL DEFAULT '', -- not claimed before this time
    UNIQUE (experiment, position)
);
INSERT INTO "runs" VALUES('r5r04jx6mq','eyt8imnu2f','local','file',0,0,'ended','succeeded',0,'["The load generator was late: p99 of the pacer''s lateness is 18.301ms, at most 5ms is allowed. Use a lower rate, more producer nodes or a machine with less other work."]','clean','',1796023080989000000,1796023066864000000,1796023080989000000,1796026666864000000,'[{"phase":"queued","at":"2026-11-30T07:17:46.856Z"},{"phase":"provision","at":"2026-11-30T07:17:46.864Z"},{"phase":"prepare","at":"2026-11-30T07:17:50.319Z"},{"phase":"load","at":"2026-11-30T07:17:52.568Z"},{"phase":"collect","at":"2026-11-30T07:17:56.654Z"},{"phase":"destroy","at":"2026-11-30T07:17:56.89Z"},{"phase":"verify","at":"2026-11-30T07:17:59.936Z"},{"phase":"ended","at":"2026-11-30T07:18:00.989Z"}]','','',0,1,0,1048576,'nats','','','');
INSERT INTO "runs" VALUES('rwriaxhr8u','eyt8imnu2f','local','kinesis-emulator',1,0,'ended','succeeded',1,'null','clean','',1796023096420000000,1796023081009000000,1796023096420000000,1796026681008000000,'[{"phase":"queued","at":"2026-11-30T07:17:46.856Z"},{"phase":"provision","at":"2026-11-30T07:18:01.009Z"},{"phase":"prepare","at":"2026-11-30T07:18:05.475Z"},{"phase":"load","at":"2026-11-30T07:18:07.708Z"},{"phase":"collect","at":"2026-11-30T07:18:12.844Z"},{"phase":"destroy","at":"2026-11-30T07:18:13.23Z"},{"phase":"verify","at":"2026-11-30T07:18:15.388Z"},{"phase":"ended","at":"2026-11-30T07:18:16.42Z"}]','','',0,1,0,1048577,'kinesis','','','');
INSERT INTO "runs" VALUES('ru8ogdmszk','eyt8imnu2f','local','file',2,1,'ended','succeeded',1,'null','clean','',1796023110028000000,1796023096453000000,1796023110028000000,1796026696452000000,'[{"phase":"queued","at":"2026-11-30T07:18:16.42Z"},{"phase":"provision","at":"2026-11-30T07:18:16.453Z"},{"phase":"prepare","at":"2026-11-30T07:18:19.718Z"},{"phase":"load","at":"2026-11-30T07:18:21.976Z"},{"phase":"collect","at":"2026-11-30T07:18:26.05Z"},{"phase":"destroy","at":"2026-11-30T07:18:26.337Z"},{"phase":"verify","at":"2026-11-30T07:18:28.937Z"},{"phase":"ended","at":"2026-11-30T07:18:30.028Z"}]','','',0,1,0,1048578,'nats','','','');
INSERT INTO "runs" VALUES('rcfwl2supr','e23n9zfw0d','local','file',0,0,'queued','',0,'null','none','',1796023111285000000,0,0,0,'[{"phase":"queued","at":"2026-11-30T07:18:31.285Z"}]','','',0,0,0,2097152,'nats','','','');
CREATE TABLE secrets (
    experiment TEXT NOT NULL PRIMARY KEY,
    sealed     BLOB NOT NULL -- encrypted by whoever gave it
);
CREATE TABLE sessions (
    token      TEXT   NOT NULL PRIMARY KEY, -- SHA-256 of it
    data       BLOB   NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE TABLE slots (
    target   TEXT    NOT NULL PRIMARY KEY,
    capacity INTEGER NOT NULL
, machine TEXT NOT NULL DEFAULT '');
INSERT INTO "slots" VALUES('local',1,'');
CREATE TABLE states (
    run     TEXT    NOT NULL,
    attempt INTEGER NOT NULL,
    serial  BIGINT  NOT NULL,
    at      BIGINT  NOT NULL,
    state   BLOB    NOT NULL,
    PRIMARY KEY (run, attempt, serial),
    FOREIGN KEY (run, attempt) REFERENCES attempts (run, n)
);
CREATE TABLE submissions (
    submitted_by TEXT   NOT NULL,
    idempotency  TEXT   NOT NULL, -- key of the client
    digest       TEXT   NOT NULL, -- of the request
    experiment   TEXT   NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (submitted_by, idempotency)
);
CREATE TABLE totals (
    name TEXT   NOT NULL PRIMARY KEY,
    n    BIGINT NOT NULL
);
INSERT INTO "totals" VALUES('attempt plan ok',3);
INSERT INTO "totals" VALUES('attempt apply ok',3);
INSERT INTO "totals" VALUES('attempt plan_destroy ok',3);
INSERT INTO "totals" VALUES('attempt destroy ok',3);
INSERT INTO "totals" VALUES('outcome succeeded',3);
CREATE INDEX obligations_open ON obligations (discharged_at);
CREATE INDEX events_run ON events (run, id);
CREATE INDEX events_experiment ON events (experiment, id);
CREATE INDEX experiments_state ON experiments (state, seq);
CREATE INDEX experiments_queue ON experiments (target, seq, runs_queued) WHERE runs_queued > 0;
CREATE INDEX experiments_ended ON experiments (ended_at);
CREATE INDEX experiments_unconcluded ON experiments (seq) WHERE verdict = '' AND runs_ended = runs_planned;
CREATE UNIQUE INDEX runs_place ON runs (place);
CREATE INDEX runs_kinds ON runs (phase, outcome, teardown, technology, target, place);
CREATE INDEX runs_queue ON runs (target, place) WHERE phase = 'queued';
CREATE INDEX runs_claimed ON runs (target) WHERE phase = 'queued' AND lease_expires_at > 0;
CREATE INDEX runs_midway ON runs (target) WHERE phase <> 'queued' AND phase <> 'ended';
CREATE INDEX runs_leaked ON runs (started_at) WHERE teardown = 'leaked';
CREATE INDEX runs_leased ON runs (lease_owner) WHERE lease_owner <> '';
CREATE INDEX submissions_at ON submissions (at);
CREATE INDEX submissions_experiment ON submissions (experiment);
CREATE INDEX sessions_expiry ON sessions (expires_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('goose_db_version',3);
INSERT INTO "sqlite_sequence" VALUES('experiments',2);
INSERT INTO "sqlite_sequence" VALUES('events',89);
INSERT INTO "sqlite_sequence" VALUES('audit',3);
COMMIT;
