import t from 'tap'
import {levelOf, type LineLevel} from '../../../src/model/line-level.ts'
import {cpuMs} from '../../rig/cpu-ms.ts'

/** Lines as the programs write them. */
const LINES: readonly (readonly [LineLevel | undefined, string, string])[] = [
  ['info', 'pino', '{"level":30,"time":1769870805977,"pid":12,"msg":"ready"}'],
  ['error', 'bunyan', '{"name":"shop","level":50,"msg":"no"}'],
  ['error', 'winston', '{"message":"no","level":"error"}'],
  ['warn', 'slog, JSON', '{"time":"2026-01-31T14:46:45Z","level":"WARN","msg":"slow"}'],
  ['error', 'Google Cloud', '{"severity":"CRITICAL","message":"no"}'],
  ['info', 'Serilog, compact', '{"@t":"2026-01-31T14:46:45Z","@m":"ready"}'],
  ['warn', 'Serilog, compact', '{"@t":"2026-01-31T14:46:45Z","@m":"slow","@l":"Warning"}'],
  ['debug', '.NET, JSON', '{"EventId":1,"LogLevel":"Trace","Category":"x"}'],
  ['error', 'Elastic', '{"@timestamp":"x","log.level":"ERROR"}'],
  ['warn', 'MongoDB', '{"t":{"$date":"x"},"s":"W","c":"NETWORK","msg":"slow"}'],
  [undefined, 'JSON that is no log', '{"user":{"level":"error"},"text":"\\"level\\":\\"error\\""}'],
  [undefined, 'broken JSON', '{"level":"error"'],
  ['info', 'Dapr', 'time="2026-01-31T14:46:45Z" level=info msg="ready" app_id=shop'],
  ['error', 'Go kit', 'level=error ts=2026-01-31T14:46:45Z caller=main.go:1 err="no"'],
  [undefined, 'a sentence', 'set level=error in the file'],
  ['info', 'uvicorn', 'INFO:     127.0.0.1:1234 - "GET / HTTP/1.1" 200 OK'],
  ['error', 'uvicorn', 'ERROR:    Exception in ASGI application'],
  ['warn', 'Python', 'WARNING:root:slow'],
  ['info', 'Python', '2026-01-31 14:46:45,977 - shop.orders - INFO - ready'],
  ['error', 'Celery', '[2026-01-31 14:46:45,977: ERROR/MainProcess] no'],
  ['warn', 'Celery', '[2026-01-31 14:46:45,977: WARNING/ForkPoolWorker-1] slow'],
  ['error', 'Monolog', '[2026-01-31T14:46:45.977+01:00] app.ERROR: no {"a":1} []'],
  ['info', 'Laravel', '[2026-01-31 14:46:45] local.INFO: ready'],
  [undefined, 'a name', '[2026-01-31 14:46:45] com.example.LOG ready'],
  ['error', 'logrus, terminal', 'ERRO[0001] no'],
  ['info', 'logrus, terminal', 'INFO[0000] ready'],
  [undefined, 'a list', 'LIST[0000] INFO'],
  ['info', 'Serilog, compact with templates', '{"@t":"2026-01-31T14:46:45Z","@mt":"ready {N}","N":1}'],
  ['error', 'Rust, uncaught, with the number of the thread', "thread 'main' (1234) panicked at src/main.rs:1:1:"],
  ['info', 'gunicorn', '[2026-01-31 14:46:45 +0000] [12] [INFO] Booting worker'],
  ['error', 'Python, uncaught', 'Traceback (most recent call last):'],
  ['info', 'Spring Boot', '2026-01-31T14:46:45.977+01:00  INFO 12 --- [           main] c.e.App : Started'],
  ['debug', 'Logback', '14:46:45.977 [main] DEBUG c.e.App - x'],
  ['warn', 'Log4j', '[2026-01-31 14:46:45,977] WARN [Broker id=1] slow (kafka.server)'],
  ['error', 'java.util.logging', 'SEVERE: no'],
  ['error', 'Java, uncaught', 'Exception in thread "main" java.lang.IllegalStateException'],
  ['info', '.NET', 'info: Microsoft.Hosting.Lifetime[14]'],
  ['error', '.NET', 'fail: Shop.Orders[0]'],
  ['warn', 'Serilog', '[14:46:45 WRN] slow'],
  ['error', 'ASP.NET, uncaught', 'Unhandled exception. System.Exception: no'],
  ['info', 'slog', '2026/01/31 14:46:45 INFO ready port=80'],
  [undefined, 'Go', '2026/01/31 14:46:45 listening on :80'],
  ['info', 'zerolog', '10:00AM INF ready'],
  ['error', 'zap', '2026-01-31T14:46:45.977Z\tERROR\tshop/main.go:1\tno'],
  ['error', 'klog', 'E0131 14:46:45.977000      12 main.go:1] no'],
  ['error', 'Go, uncaught', 'panic: runtime error: index out of range'],
  ['info', 'Rust', '2026-01-31T14:46:45.977Z  INFO shop: ready'],
  ['warn', 'env_logger', '[2026-01-31T14:46:45Z WARN  shop] slow'],
  ['error', 'Rust, uncaught', "thread 'main' panicked at src/main.rs:1:1:"],
  ['info', 'NestJS', '[Nest] 12  - 01/31/2026, 2:46:45 PM     LOG [NestFactory] Starting'],
  ['error', 'NestJS', '[Nest] 12  - 01/31/2026, 2:46:45 PM   ERROR [ExceptionsHandler] no'],
  ['error', 'Node, uncaught', "TypeError: Cannot read properties of null (reading 'slice')"],
  ['error', 'npm', 'npm ERR! code ENOENT'],
  ['warn', 'npm', 'npm warn deprecated x'],
  ['info', 'PostgreSQL', '2026-01-31 14:46:45.977 UTC [12] LOG:  database system is ready'],
  ['error', 'PostgreSQL', '2026-01-31 14:46:45.977 UTC [12] FATAL:  password authentication failed'],
  ['error', 'MySQL', '2026-01-31T14:46:45.977Z 0 [ERROR] [MY-010119] [Server] Aborting'],
  ['error', 'nginx', '2026/01/31 14:46:45 [error] 12#12: *1 open() failed'],
  ['warn', 'Redis', '1:M 31 Jan 2026 14:46:45.977 # Server initialized'],
  ['info', 'Redis', '1:M 31 Jan 2026 14:46:45.977 * Ready to accept connections'],
  ['warn', 'RabbitMQ', '2026-01-31 14:46:45.977000+00:00 [warning] <0.1.0> slow'],
  ['error', 'Ruby', 'E, [2026-01-31T14:46:45.977 #12] ERROR -- : no'],
  ['info', 'Elixir', '14:46:45.977 [info] ready'],
  ['warn', 'PHP', '[31-Jan-2026 14:46:45] WARNING: [pool www] slow'],
  ['info', 'a shell script', '[INFO] ready'],
  [undefined, 'a sentence', 'ready on port 80'],
  [undefined, 'a sentence with a level', 'no error in 5 orders'],
  [undefined, 'a sentence in capitals', 'LOG IN BEFORE YOU ORDER'],
  [undefined, 'an access log', '127.0.0.1 - - [31/Jan/2026:14:46:45 +0000] "GET /error HTTP/1.1" 500 12'],
  [undefined, 'a list', '1) error handling'],
  [undefined, 'nothing', ''],
  [undefined, 'a stack', '    at charge (/shop/charge.js:41:7)']
]

t.test('the level of a line, as the programs write it', t => {
  for (const [level, program, line] of LINES) t.equal(levelOf(line), level, `${program}: ${line}`)
  t.end()
})

t.test('a line of any length, and of marks that could make a pattern slow, is looked at in no time', t => {
  for (const piece of ['[', '[1:11 ', '"level":', 'A'.repeat(11), '1:M 31 ', ' level=', "thread '"]) {
    const line = piece.repeat(Math.ceil(1e6 / piece.length))
    const before = cpuMs()
    for (let n = 0; n < 100; n++) levelOf(line)
    t.ok(cpuMs() - before < 1000, piece)
  }
  t.end()
})
