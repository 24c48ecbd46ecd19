/**
 * Apache Kafka, whose files Maven gets once and keeps below the system's folder for temporary files. Without Java, Maven or a
 * way to its repository a test is skipped and says so.
 */
import {execFile, spawn, type ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {existsSync, mkdtempSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {promisify} from 'node:util'
import {messageOf} from '../../src/model/errors.ts'
import type {Test} from 'tap'
import {freePorts} from './free-port.ts'
import {missing} from './missing.ts'
import {tie} from './tie.ts'
import {tlsFile} from './tls.ts'

const VERSION = '4.1.1'

/** A Kafka with one node. */
export interface RealKafka {
  readonly brokers: string
  /** The same by TLS; clients need a certificate. */
  readonly tlsBrokers: string
  /** The same with a password: `shop`, `secret`. */
  readonly passwordBrokers: string
  /** Kills it; `start` brings it back at the same port, with its data. */
  readonly stop: () => Promise<void>
  readonly start: () => Promise<void>
}

const run = promisify(execFile)

const dependency = (group: string, name: string, version: string): string =>
  `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`

/** Its classpath. */
async function installed(): Promise<string> {
  const folder = join(tmpdir(), `pillion-kafka-${process.getuid?.() ?? 0}-${VERSION}`)
  if (existsSync(folder)) return join(folder, '*')
  const work = mkdtempSync(`${folder}-`)
  const pom = `<project><modelVersion>4.0.0</modelVersion><groupId>test</groupId><artifactId>test</artifactId><version>1</version>
    <dependencies>${dependency('org.apache.kafka', 'kafka_2.13', VERSION)}
    ${dependency('org.apache.logging.log4j', 'log4j-slf4j-impl', '2.24.3')}</dependencies></project>`
  try {
    writeFileSync(join(work, 'pom.xml'), pom)
    await run('mvn', [
      '-q',
      '-B',
      '-f',
      join(work, 'pom.xml'),
      'dependency:copy-dependencies',
      `-DoutputDirectory=${work}`
    ])
    // somebody else may have been faster
    if (!existsSync(folder)) renameSync(work, folder)
    return join(folder, '*')
  } finally {
    rmSync(work, {recursive: true, force: true})
  }
}

const LOGGING = `appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %m%n
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
`

/** A file of test/fixtures/tls on one line, as a file of properties has it. */
const pem = (name: string): string =>
  tlsFile(name)
    .trim()
    .replaceAll('\n', String.raw`\n`)

/** Starts Kafka for a test; undefined where it cannot be had: why has been told. */
export async function realKafka(t: Test): Promise<RealKafka | undefined> {
  const folder = mkdtempSync('/tmp/kafka-')
  t.teardown(() => rmSync(folder, {recursive: true, force: true}))
  const [port = 0, tlsPort = 0, passwordPort = 0, controller = 0] = await freePorts(4)
  const [brokers = '', tlsBrokers = '', passwordBrokers = ''] = [port, tlsPort, passwordPort].map(
    own => `127.0.0.1:${own}`
  )
  const listeners = `PLAINTEXT://${brokers},SSL://${tlsBrokers},SASL_PLAINTEXT://${passwordBrokers}`
  const properties = join(folder, 'server.properties')
  writeFileSync(join(folder, 'log4j2.properties'), LOGGING)
  writeFileSync(
    properties,
    Object.entries({
      'process.roles': 'broker,controller',
      'node.id': '1',
      'controller.quorum.voters': `1@127.0.0.1:${controller}`,
      listeners: `${listeners},CONTROLLER://127.0.0.1:${controller}`,
      'advertised.listeners': listeners,
      'controller.listener.names': 'CONTROLLER',
      'listener.security.protocol.map':
        'PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.certificate.chain': pem('server.pem'),
      'ssl.keystore.key': pem('server.key'),
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.certificates': pem('ca.pem'),
      'ssl.client.auth': 'required',
      'sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.sasl_plaintext.plain.sasl.jaas.config':
        'org.apache.kafka.common.security.plain.PlainLoginModule required user_shop="secret";',
      'log.dirs': join(folder, 'data'),
      'offsets.topic.replication.factor': '1',
      'offsets.topic.num.partitions': '1',
      'transaction.state.log.replication.factor': '1',
      'transaction.state.log.min.isr': '1',
      'group.initial.rebalance.delay.ms': '0',
      'num.partitions': '2'
    })
      .map(pair => pair.join('='))
      .join('\n')
  )
  let options: readonly string[]
  try {
    const classpath = await installed()
    const logging = `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`
    options = ['-Xmx256m', '-XX:TieredStopAtLevel=1', logging, '-cp', classpath]
    await run('java', [
      ...options,
      'kafka.tools.StorageTool',
      'format',
      '-t',
      'AAAAAAAAAAAAAAAAAAAAAA',
      '-c',
      properties
    ])
  } catch (error) {
    t.pass('without Kafka', {skip: missing(`Kafka: ${messageOf(error)}`)})
    return undefined
  }
  let server: ChildProcess | undefined
  const stop = async (): Promise<void> => {
    const own = server
    server = undefined
    if (own === undefined || own.exitCode !== null || own.signalCode !== null) return
    own.kill('SIGKILL')
    await once(own, 'exit')
  }
  const start = async (): Promise<void> => {
    const own = spawn('java', [...options, 'kafka.Kafka', properties], {stdio: ['ignore', 'pipe', 'inherit']})
    server = own
    tie(own, folder)
    const said: string[] = []
    await new Promise<void>((resolve, reject) => {
      createInterface(own.stdout).on('line', line => {
        said.splice(0, said.length - 40)
        said.push(line)
        if (line.includes('Kafka Server started')) resolve()
      })
      own.once('exit', () => {
        // without its last lines a test could only say that no broker answers
        if (server === own) t.fail('Kafka ended by itself', {said})
        reject(new Error('Kafka ended while it started'))
      })
    })
  }
  t.teardown(stop)
  await start()
  return {brokers, tlsBrokers, passwordBrokers, stop, start}
}
