import {readFileSync, statSync} from 'node:fs'
import {dirname, join, relative} from 'node:path'
import {fileURLToPath} from 'node:url'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {component} from '../rig/resource-files.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const ROOT = join(import.meta.dirname, '../..')
const HOOK = join(import.meta.dirname, '../fixtures/loaded.mjs')

/** What a run without resources has no use for. */
const UNUSED = [
  /^src\/dapr\/components\//,
  /^src\/packages\/daeploy\/(archive|deployment|management|manager-api|routes|service-call)\.ts/,
  /^src\/clients\/doctor\//,
  /^src\/clients\/cli\/entries\/(?!command-entry|run\.ts|templates)/,
  /^src\/packages\/(?!daeploy\/|h2-frames\/(frames|greeting|flood-guard|frame-scan)\.ts)/,
  /^src\/files\/watcher\//,
  /^src\/proxy\/gateway\/interceptors\/(?!resiliency\/(attempt|backoff)\.ts)/,
  /^src\/files\/resources\/(field|loaded-file|read-.*|resource-files|go-duration)\.ts/,
  /^src\/files\/resources\/resiliency\//,
  /^src\/dapr\/sidecar\/(blocks\/(?!block-error)|grpc\/)/,
  /^src\/dapr\/sidecar\/daprd\//,
  /^src\/dapr\/sidecar\/(policies|spans)\.ts/,
  /^src\/dapr\/sidecar\/http\/blocks\/handle-/,
  /^src\/dapr\/sidecar\/http\/middleware\/(?!filter|upper-case)/,
  /^src\/observe\/telemetry\/metrics\//,
  /^src\/observe\/telemetry\/otlp\//,
  /^src\/model\/otlp\//,
  /^src\/observe\/telemetry\/tracing\/(?!trace-context)/,
  /^node_modules\/(?!ansi-regex|chalk|commander|get-|string-width|strip-ansi|yaml)/
]

/**
 * Bytes of our code that the start of a plain template loads. Raise it only for what each run needs before its first app
 * starts, or when no descriptor is free to load it with; load all else when it is used.
 */
const MAX_BYTES = 976_500

interface Loaded {
  readonly bytes: number
  readonly files: number
  /** The modules in these files, by their paths. */
  readonly sources: readonly string[]
}

/** What a run has loaded so far, of what was built. */
function loadedIn(rig: Rig): Loaded {
  const urls = readFileSync(join(rig.folder, 'loaded'), 'utf8').trim().split('\n')
  const files = urls
    .filter(url => url.startsWith('file:'))
    .map(url => fileURLToPath(url))
    .filter(path => path.includes('/dist/'))
  const sources = files.flatMap(file => {
    const {sources: all} = JSON.parse(readFileSync(`${file}.map`, 'utf8')) as {readonly sources: readonly string[]}
    return all.map(source => relative(ROOT, join(dirname(file), source)))
  })
  return {files: files.length, sources, bytes: files.reduce((sum, file) => sum + statSync(file).size, 0)}
}

t.test(
  'a run loads what its template asks for',
  {skip: process.env['PILLION'] !== undefined && 'one file'},
  async t => {
    const rig = await openRig(t)
    await rig.write({'resources/none.txt': '', '.git/HEAD': ''}) // in a repository, of which it may be a copy
    await rig.template([
      {appID: 'shop', resourcesPath: '../resources'},
      {appID: 'stock', autoPort: true}
    ])
    const run = rig.pillion(['run', '-f', '.'], {
      env: {NODE_OPTIONS: `--import=${HOOK}`, LOADED: join(rig.folder, 'loaded'), TMPDIR: rig.home}
    })
    const [shop, stock] = await Promise.all([rig.driven('shop'), rig.driven('stock')])
    await run.waitForLine('Writing log files', {nth: 2})
    const start = loadedIn(rig)
    t.ok(start.sources.includes('src/run/run.ts'))
    for (const pattern of UNUSED)
      t.strictSame(
        start.sources.filter(source => pattern.test(source)),
        [],
        pattern.source
      )
    t.ok(start.bytes < MAX_BYTES, `${start.bytes} bytes`)
    t.ok(start.files < 10, `${start.files} files`)

    await stock.answer({body: 'x'})
    await stock.listen()
    t.match(await shop.fetch('/v1.0/invoke/stock/method/x'), {status: 200, body: 'x'})
    const countsCalls = (): boolean =>
      loadedIn(rig).sources.some(source => source.startsWith('src/observe/telemetry/metrics/'))
    while (!countsCalls()) await pause(10)
    t.notOk(
      loadedIn(rig).sources.some(source => /\/otlp\/(?!conventions|received)/.test(source)),
      'no app has sent a span'
    )
    run.signal('SIGINT')
    t.match(await run.exited, {code: 0})
  }
)

t.test(
  'a run that is its own Redis does not load the client of another one',
  {skip: process.env['PILLION'] !== undefined && 'one file'},
  async t => {
    const rig = await openRig(t)
    const redisHost = `localhost:${await freePort()}`
    await rig.write({'resources/store.yaml': component('store', 'state.redis', {redisHost})})
    await rig.template([{appID: 'shop', resourcesPath: '../resources'}])
    rig.pillion(['run', '-f', '.'], {env: {NODE_OPTIONS: `--import=${HOOK}`, LOADED: join(rig.folder, 'loaded')}})
    const shop = await rig.driven('shop')
    const body = '[{"key":"a","value":1}]'
    t.match(await shop.fetch('/v1.0/state/store', {method: 'POST', body}), {status: 204})
    const {sources} = loadedIn(rig)
    t.ok(sources.includes('src/packages/redis/engine/engine.ts'))
    t.notOk(sources.some(source => source.includes('@redis/client')))
  }
)
