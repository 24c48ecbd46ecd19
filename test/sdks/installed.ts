import {execFile} from 'node:child_process'
import {createHash} from 'node:crypto'
import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {mkdir, rename, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import type {Test} from 'tap'
import {messageOf} from '../../src/model/errors.ts'
import {missing} from '../rig/missing.ts'

const execute = promisify(execFile)

/** An installation that takes longer has stalled: two files may compile Go’s SDK at the same time. */
const INSTALL_MS = 480_000

export interface Package {
  readonly name: string
  readonly version: string
  /** Puts it into an empty folder; by a package manager's ordinary client. */
  readonly install: (folder: string) => readonly Command[]
  /** Tells that what runs it is there, also where it was installed long ago. */
  readonly runtime?: Command
}

type Command = readonly [file: string, ...args: readonly string[]]

/**
 * The folder that holds a package, installed once a machine; undefined where it cannot be had: then the test is skipped.
 */
export async function installed(
  t: Pick<Test, 'pass'>,
  {name, version, install, runtime}: Package
): Promise<string | undefined> {
  const folder = join(tmpdir(), `pillion-test-${name.replaceAll(/[@/]/g, '')}-${version}-${process.version}`)
  const fresh = `${folder}.${process.pid}`
  try {
    if (runtime !== undefined) await execute(runtime[0], runtime.slice(1))
    if (existsSync(folder)) return folder
    await mkdir(fresh)
    for (const [file, ...args] of install(fresh)) await execute(file, args, {cwd: fresh, timeout: INSTALL_MS})
    // somebody else may have been quicker
    if (!existsSync(folder)) await rename(fresh, folder)
    return folder
  } catch (error) {
    const why = `${name} ${version}: ${messageOf(error)}`
    t.pass(`without ${name}`, {skip: missing(why)})
    return undefined
  } finally {
    await rm(fresh, {recursive: true, force: true})
  }
}

export const ofNpm = (name: string, version: string): Package => ({
  name,
  version,
  install: folder => [
    ['npm', 'install', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts', `${name}@${version}`]
  ]
})

export const vite = ofNpm('vite', '8.3.8')

export const daprForJavascript = (version: string): Package => ofNpm('@dapr/dapr', version)

/** Its server of gRPC is with it. A virtual environment knows its path: this one is only a folder of packages, and may be renamed. */
export const daprForPython: Package = {
  name: 'dapr-python-grpc',
  version: '1.19.0',
  runtime: ['python3', '--version'],
  install: folder => [['python3', '-m', 'pip', 'install', '-q', '--target', folder, 'dapr[grpc]==1.19.0']]
}

/** The same with what hosts actors over HTTP. */
export const daprForPythonWeb: Package = {
  name: 'dapr-python-web',
  version: '1.19.0',
  runtime: ['python3', '--version'],
  install: folder => [
    ['python3', '-m', 'pip', 'install', '-q', '--target', folder, 'dapr[flask,fastapi]==1.19.0', 'uvicorn']
  ]
}

/** The agent of Node, which instruments what an app loads, and what our app loads. */
export const otelForNode: Package = {
  name: 'opentelemetry-node',
  version: '0.82.0',
  install: folder => [
    [
      'npm',
      'install',
      '--prefix',
      folder,
      ...'--no-audit --no-fund --ignore-scripts @opentelemetry/auto-instrumentations-node@0.82.0'.split(' '),
      ...'@opentelemetry/api express@5 ioredis@5'.split(' ')
    ]
  ]
}

const OTEL_FOR_PYTHON = [
  ...'flask==3.1.3 fastapi==0.125.0 httpx==0.28.1 uvicorn==0.54.0 opentelemetry-distro==0.66b1'.split(' '),
  ...'opentelemetry-exporter-otlp-proto-http==1.45.1'.split(' '),
  ...['flask', 'fastapi', 'httpx', 'sqlite3', 'logging'].map(name => `opentelemetry-instrumentation-${name}==0.66b1`)
]

/** `opentelemetry-instrument`, and what our apps load; in a folder whose name tells that these are libraries. */
export const otelForPython: Package = {
  name: 'opentelemetry-python',
  version: '0.66b1',
  runtime: ['python3', '--version'],
  install: folder => [
    ['python3', '-m', 'pip', 'install', '-q', '--target', join(folder, 'site-packages'), ...OTEL_FOR_PYTHON]
  ]
}

const GO_SOURCE = join(import.meta.dirname, '../fixtures/sdks/go')

const contentHash = (folder: string): string => {
  const hash = createHash('sha256')
  for (const name of readdirSync(folder)
    .filter(each => each.includes('.'))
    .toSorted())
    hash.update(name).update(readFileSync(join(folder, name)))
  return hash.digest('hex').slice(0, 12)
}

/** Our programs for it, compiled. */
export const daprForGo: Package = {
  name: 'dapr-go',
  version: `1.15.0-${contentHash(GO_SOURCE)}`,
  // not optimized: it compiles in two thirds of the time
  install: folder => [['go', 'build', '-C', GO_SOURCE, '-gcflags=all=-N -l', '-o', join(folder, 'sdks'), '.']]
}

/** The program of a folder there, compiled. */
export const goProgram = (name: string): Package => ({
  name: `go-${name}`,
  version: contentHash(join(GO_SOURCE, name)),
  install: folder => [['go', 'build', '-C', GO_SOURCE, '-gcflags=all=-N -l', '-o', join(folder, name), `./${name}`]]
})

const OTEL_FOR_GO = join(import.meta.dirname, '../fixtures/sdks/otel-go')

/** Our program with OpenTelemetry's SDK for Go, compiled. */
export const otelForGo: Package = {
  name: 'opentelemetry-go',
  version: `1.47.0-${contentHash(OTEL_FOR_GO)}`,
  install: folder => [['go', 'build', '-C', OTEL_FOR_GO, '-gcflags=all=-N -l', '-o', join(folder, 'otel-go'), '.']]
}

const JAVA = join(import.meta.dirname, '../fixtures/sdks')

/** Programs of ours in a folder of these, compiled, and their libraries: `npm run test:java` alone asks for them. */
const javaPrograms = (name: string, folderName: string, version: string): Package => {
  const source = join(JAVA, folderName)
  return {
    name,
    version: `${version}-${contentHash(source)}`,
    runtime: ['java', '-version'],
    install: folder => [
      ['mvn', '-B', '-q', '-T1', '-f', source, `-Dout=${folder}`, 'compile', 'dependency:copy-dependencies']
    ]
  }
}

export const daprForJava = javaPrograms('dapr-java', 'java', '1.17.1')

/** Newer versions of `dapr-sdk-actors` are not in Maven Central. */
export const daprActorsForJava = javaPrograms('dapr-java-actors', 'java-actors', '1.16.1')

/** An app that knows nothing of OpenTelemetry, its database, and the agent of Java. */
export const otelForJava = javaPrograms('opentelemetry-java', 'otel-java', '2.33.1')

/** An app of Spring Boot, which knows nothing of Dapr. */
export const springForJava = javaPrograms('spring-boot', 'spring', '3.5.7')

/** Dapr Agents, with all that it asks for: 360 MB. pip alone looks for versions that go together for many minutes. */
export const daprAgents: Package = {
  name: 'dapr-agents',
  version: '1.0.9',
  runtime: ['python3', '--version'],
  install: folder => [
    ['python3', '-m', 'pip', 'install', '-q', '--target', join(folder, 'uv'), 'uv'],
    [
      join(folder, 'uv/bin/uv'),
      ...'pip install -q --no-cache --compile-bytecode --python python3 --target'.split(' '),
      folder,
      'dapr-agents==1.0.9'
    ]
  ]
}

const LAUNCHERS_OF_NPM = ['pnpm@10.34.9', 'yarn@1.22.22', 'tsx@4.23.15', 'nodemon@3.1.14', 'concurrently@10.0.7']

/** Package managers and runners of Node that start programs. */
export const launchersOfNpm: Package = {
  name: 'launchers-npm',
  version: '1',
  install: folder => [['npm', 'install', '--prefix', folder, '--no-audit', '--no-fund', ...LAUNCHERS_OF_NPM]]
}

const LAUNCHERS_OF_PYTHON = [
  ...'uv==0.13.9 poetry==2.5.1 gunicorn==27.0.1 uvicorn==0.54.0 watchfiles==1.3.0 celery==5.7.0'.split(' '),
  ...'redis==8.1.0'.split(' ')
]

/** The same of Python; their folder is a folder of packages with its `bin`. */
export const launchersOfPython: Package = {
  name: 'launchers-python',
  version: '1',
  runtime: ['python3', '--version'],
  install: folder => [['python3', '-m', 'pip', 'install', '-q', '--target', folder, ...LAUNCHERS_OF_PYTHON]]
}

/** The same of Go. */
export const launchersOfGo: Package = {
  name: 'launchers-go',
  version: '1',
  runtime: ['go', 'version'],
  install: folder => [['env', `GOBIN=${folder}`, 'go', 'install', 'github.com/air-verse/air@v1.67.4']]
}
