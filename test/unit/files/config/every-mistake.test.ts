import {join} from 'node:path'
import t, {type Test} from 'tap'
import {examineTemplate} from '../../../../src/files/config/every-mistake.ts'
import {openShop} from './shop.ts'

/** The places and messages of all mistakes, the folder in them as `$`; and the apps that could be read. */
async function examine(t: Test, yaml: string, {files = {}, env = {}} = {}) {
  const folder = openShop(t, yaml, files)
  const around = {cwd: folder, home: join(folder, 'home'), env, readStdin: () => ''}
  const {errors, loaded} = await examineTemplate('.', around, {watch: false})
  const all = errors.flatMap(({message, mistakes}) =>
    mistakes.length === 0
      ? [message]
      : mistakes.map(({message: text, place: {line, column}}) => `${line}:${column} ${text}`)
  )
  const hints = loaded?.hints().map(({place: {line, column}, code}) => `${line}:${column} ${code}`)
  return {all: all.map(text => text.replaceAll(folder, '$')), apps: loaded?.plan.apps.map(({id}) => id), hints}
}

t.test('mistakes of all checks are found in one reading, each once', async t => {
  const yaml = `version: 1
common:
  resourcesPath: ./nothere
  stop: {timeout: 99d}
apps:
  - appDirPath: ./orders
    appPort: abc
    dependsOn: [chekout, checkout]
    ready: {log: '('}
    logLevel: loud
  - appDirPath: ./chekout
    appID: checkout
    resourcesPath: ./own
    daprHTTPPort: 70000
  - appDirPath: ./checkout
    appID: pay
    envFile: [.env, .env2]
    appProtocol: ftp
    kubernetes: {replicaz: 2}
faults:
  - {to: nowhere, status: 500}
`
  const {all, apps} = await examine(t, yaml, {files: {checkout: {'.env': ''}}})
  t.same(
    [...all].toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10)),
    [
      '3:18 error in getting the file info for $/nothere: stat $/nothere: no such file or directory',
      '4:19 wrong value of stop.timeout',
      '7:14 line 7: cannot unmarshal !!str `abc` into int',
      '8:17 app "orders" depends on "chekout", which is not an app of this template',
      '9:18 wrong value of ready.log',
      '10:15 invalid value for --log-level: loud',
      '11:17 error in getting the file info for $/chekout: stat $/chekout: no such file or directory',
      '14:19 invalid configuration for HTTPPort. Port 70000 is not available',
      '17:21 error in reading the envFile: open $/checkout/.env2: no such file or directory',
      '18:18 wrong value of appProtocol',
      '19:18 unknown key replicaz in kubernetes',
      '21:5 faults: the fault lacks from'
    ]
  )
  t.same(apps, ['orders', 'checkout', 'pay'])
})

t.test('what is missing is put there for the rest', async t => {
  const {all, apps} = await examine(t, 'apps:\n  - {appID: a}\n  - {dir: ./orders, appID: b, dependsOn: [a, c]}\n')
  t.same(all, [
    "1:1 required field 'version' not found in the provided run template file",
    "2:5 required field 'appDirPath' not found in the provided app config file",
    "3:6 required field 'appDirPath' not found in the provided app config file",
    '3:46 app "b" depends on "c", which is not an app of this template'
  ])
  t.same(apps, ['a', 'b'])
})

t.test('two services of one version: what depends on them is no mistake', async t => {
  const app = '  - {appDirPath: ./orders, appID: db, version: 1.0.0, command: [x]}\n'
  const {all} = await examine(
    t,
    `version: 1\napps:\n${app}${app}  - {appDirPath: ./checkout, dependsOn: [db], tty: 3}\n`
  )
  t.same(all, [
    '5:52 wrong value of tty',
    '3:35 app "db": version 1.0.0 appears twice, dapr.yaml:3:35 and dapr.yaml:4:35'
  ])
})

t.test('a text that is no YAML has one mistake; a compose file is one', async t => {
  const {all, apps} = await examine(t, 'version: 1\napps: [\n')
  t.match(all, [/^2:7 error in parsing the provided app config file: yaml: line 2: /])
  t.equal(apps, undefined)
  t.same((await examine(t, 'services:\n  a: {image: x}\n')).all, ['1:1 this is a compose file, not a template'])
})

t.test('several files: a mistake of each has its place there', async t => {
  const folder = openShop(t, 'version: 1\napps: [{appDirPath: ./orders, logLevel: loud}]\n', {
    'more.yaml': 'apps:\n  - {appDirPath: ./orders, appPort: abc}\n  - {appDirPath: ./chekout}\n'
  })
  const around = {cwd: folder, home: folder, env: {}, readStdin: () => ''}
  const {errors} = await examineTemplate(['dapr.yaml', 'more.yaml'], around, {watch: false})
  const places = errors.flatMap(({mistakes}) => mistakes.map(({place: {file, line, column}}) => [file, line, column]))
  t.same(places, [
    ['more.yaml', 2, 37],
    ['more.yaml', 3, 18],
    ['dapr.yaml', 2, 41]
  ])
})

t.test('an alias is wrong where its anchor is, for all that use it', async t => {
  const yaml =
    'version: 1\nx-base: &base {appPort: abc, logLevel: loud}\napps:\n  - {<<: *base, appDirPath: ./orders}\n  - {<<: *base, appDirPath: ./checkout}\n'
  const {all, apps} = await examine(t, yaml)
  t.same(
    [...new Set(all)],
    ['2:25 line 2: cannot unmarshal !!str `abc` into int', '2:40 invalid value for --log-level: loud']
  )
  t.same(apps, ['orders', 'checkout'])
})

t.test('the template is read as often as one app has mistakes, not as often as all have', async t => {
  const app = '  - {appDirPath: ./orders, resourcesPath: ./no, logLevel: loud, ready: {log: "("}, dependsOn: [x]}\n'
  const readings = async (apps: number): Promise<number> => {
    const folder = openShop(t, `version: 1\napps:\n${app.repeat(apps)}`)
    let count = 0
    const around = {
      cwd: folder,
      home: folder,
      readStdin: () => '',
      get env() {
        count++
        return {}
      }
    }
    const {errors} = await examineTemplate('.', around, {watch: false})
    t.equal(errors.length, 4 * apps)
    return count
  }
  t.equal(await readings(30), await readings(1))
})

t.test('several mistakes of several apps: those of a check stand together, in the order of the apps', async t => {
  const app = `  - {appDirPath: ./orders, appID: a, resourcesPath: ./no, runtimePath: ./none, logLevel: loud, ready: {log: "("}, dependsOn: [x, y]}\n`
  const other = `  - {appDirPath: ./orders, command: [''], port: 80}\n  - {appDirPath: ./checkout, port: 80}\n`
  const {all, apps} = await examine(t, `version: 1\napps:\n${app}${other}${app.replace('appID: a', 'appID: b')}`)
  t.same(
    all.map(text => text.replace(/^(\d+):\d+/, '$1').replace(/error in .* stat \$\/orders\//, '')),
    [
      '3 no: no such file or directory',
      '3 none: no such file or directory',
      '6 no: no such file or directory',
      '6 none: no such file or directory',
      '3 invalid value for --log-level: loud',
      '3 wrong value of ready.log',
      '4 exec: no command',
      '6 invalid value for --log-level: loud',
      '6 wrong value of ready.log',
      '5 app "checkout": port is 80, which is taken by the port of "orders" (dapr.yaml:4:49)',
      '3 app "a" depends on "x", which is not an app of this template',
      '3 app "a" depends on "y", which is not an app of this template',
      '6 app "b" depends on "x", which is not an app of this template',
      '6 app "b" depends on "y", which is not an app of this template'
    ]
  )
  t.same(apps, ['a', 'orders', 'checkout', 'b'])
})

t.test('of thousands of mistakes in one list the first ones are found: each is another reading', async t => {
  const ids = Array.from({length: 1000}, (_, index) => `a${index}`).join(', ')
  const {all} = await examine(t, `version: 1\napps:\n  - appDirPath: ./orders\n    dependsOn: [${ids}]\n`)
  t.match(all[0], /depends on "a0"/)
  t.ok(all.length >= 100 && all.length < 200, `${all.length}`)
})

t.test('what is wrong with an id that a folder gives is shown at the folder, also where that is missing', async t => {
  const {hints} = await examine(t, 'version: 1\napps:\n  - appDirPath: ./Shop.Ordres\n    appPort: 80\n')
  t.same(hints, ['3:17 odd-app-id'])
})
