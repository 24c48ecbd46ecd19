import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {withNames} from '../rig/by-name.ts'
import {freePort} from '../rig/free-port.ts'
import {component} from '../rig/resource-files.ts'
import {openRig, type Rig} from '../rig/rig.ts'

/** What a run without resources has no use for. */
const UNUSED = [
  /^src\/dapr\/components\//,
  /^src\/packages\/daeploy\/(archive|deployment|management|manager-api|routes|service-call)\.ts/,
  /^src\/clients\/doctor\//,
  /^src\/clients\/cli\/entries\/(?!command-entry|run\.ts|templates)/,
  /^src\/packages\/(?!daeploy\/|h2-frames\/(frames|greeting)\.ts)/,
  /^src\/files\/watcher\//,
  /^src\/proxy\/published\//,
  /^src\/proxy\/gateway\/interceptors\/(?!resiliency\/(attempt|backoff)\.ts)/,
  /^src\/files\/resources\/(field|loaded-file|read-.*|resource-files)\.ts/,
  /^src\/files\/resources\/resiliency\//,
  /^src\/dapr\/sidecar\/(blocks\/(?!block-error)|grpc\/)/,
  /^src\/dapr\/sidecar\/daprd\//,
  /^src\/dapr\/sidecar\/(policies|spans)\.ts/,
  /^src\/dapr\/sidecar\/http\/blocks\/handle-/,
  /^src\/dapr\/sidecar\/http\/middleware\/(?!middleware\.)/,
  /^src\/observe\/telemetry\/metrics\//,
  /^src\/observe\/telemetry\/otlp\//,
  /^src\/model\/(otlp\/|go-duration)/,
  /^src\/observe\/telemetry\/tracing\/(?!trace-context)/,
  /^library-/,
  /^node_modules\/(?!ansi-regex|chalk|commander|get-|string-width|strip-ansi|yaml)/
]

/**
 * Modules that a run of a plain template initializes. Raise it only for what each run needs before its first app starts, or
 * when no descriptor is free; load all else when it is used.
 */
const MAX_MODULES = 516

/** What NODE_V8_COVERAGE writes at the end of a process. */
interface Coverage {
  readonly result: readonly {
    readonly url: string
    readonly functions: readonly {readonly functionName: string; readonly ranges: readonly {readonly count: number}[]}[]
  }[]
}

const coverageOf = (rig: Rig): string => join(rig.folder, 'coverage')

/** Returns the modules and libraries that a run has initialized. esbuild gives the function that does it the path of the module. */
function loadedIn(rig: Rig): readonly string[] {
  const folder = coverageOf(rig)
  const scripts = readdirSync(folder).flatMap(
    name => (JSON.parse(readFileSync(join(folder, name), 'utf8')) as Coverage).result
  )
  const libraries = scripts.map(({url}) => url).filter(url => url.startsWith('library-'))
  const modules = scripts
    .filter(({url}) => url === 'pillion')
    .flatMap(({functions}) => functions)
    .filter(({functionName, ranges}) => /^(?:src|node_modules)\//.test(functionName) && (ranges[0]?.count ?? 0) > 0)
    .map(({functionName}) => functionName)
  return [...modules, ...libraries]
}

t.test('a run loads what its template needs', {skip: process.env['PILLION'] !== undefined && 'one file'}, async t => {
  const rig = await openRig(t)
  await rig.write({'resources/none.txt': '', '.git/HEAD': ''}) // in a repository, of which it may be a copy
  await rig.template([
    {appID: 'shop', resourcesPath: '../resources'},
    {appID: 'stock', autoPort: true}
  ])
  const env = {...withNames(await freePort()), NODE_V8_COVERAGE: coverageOf(rig), TMPDIR: rig.home}
  const run = rig.pillion(['run', '-f', '.'], {env})
  const [, stock] = await Promise.all([rig.driven('shop'), rig.driven('stock')])
  await stock.listen()
  await run.waitForLine('Writing log files', {nth: 2})
  t.match(await run.end('SIGINT'), {code: 0})
  const modules = loadedIn(rig)
  t.ok(modules.includes('src/run/run.ts'))
  for (const pattern of UNUSED)
    t.strictSame(
      modules.filter(module => pattern.test(module)),
      [],
      pattern.source
    )
  t.ok(modules.length < MAX_MODULES, `${modules.length} modules`)
})

t.test('its own Redis loads no client', {skip: process.env['PILLION'] !== undefined && 'one file'}, async t => {
  const rig = await openRig(t)
  const redisHost = `localhost:${await freePort()}`
  await rig.write({'resources/store.yaml': component('store', 'state.redis', {redisHost})})
  await rig.template([{appID: 'shop', resourcesPath: '../resources'}])
  const run = rig.pillion(['run', '-f', '.'], {env: {NODE_V8_COVERAGE: coverageOf(rig)}})
  const shop = await rig.driven('shop')
  const body = '[{"key":"a","value":1}]'
  t.match(await shop.fetch('/v1.0/state/store', {method: 'POST', body}), {status: 204})
  t.match(await run.end('SIGINT'), {code: 0})
  const modules = loadedIn(rig)
  t.ok(modules.includes('src/packages/redis/engine/engine.ts'))
  t.notOk(modules.some(module => module.startsWith('library-')))
})
