import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t from 'tap'
import {tarOf} from '../../../../../test/rig/tar.ts'
import {Routes} from '../../../../proxy/gateway/routes.ts'
import type {AppRuntime} from '../../../../supervisor/app-runtime.ts'
import {ServiceManager} from '../../services/service-manager.ts'
import {Workspaces} from '../../services/workspaces.ts'

const doNothing = (): void => undefined

/** A version of a service whose log was opened under a name. */
const version = (number: string, name: string) => {
  let write: (text: string) => void = doNothing
  const tap = (take: typeof write): (() => void) => {
    write = take
    return doNothing
  }
  const record = {tap, closed: new AbortController().signal}
  const plan = {id: 'scales', version: number, instance: 1, fixedPort: 8000}
  const runtime = {id: 'scales', plan, logs: {app: {name, record}}, onMove: doNothing} as unknown as AppRuntime
  return {runtime, write: (text: string) => write(text)}
}

t.test('the lines of a version are kept, whatever versions came or went while its log was opened', async t => {
  for (const [name, others] of [
    ['scales_2.0.0', []],
    ['scales', ['1.0.0']]
  ] as const) {
    const routes = new Routes<AppRuntime>({
      planned: [],
      elsewhere: () => ({ok: false, status: 500, error: ''}),
      reporter: {warn: doNothing}
    })
    const {runtime, write} = version('2.0.0', name)
    const all = [...others.map(each => version(each, 'scales').runtime), runtime]
    for (const each of all) routes.versions.add(each)
    const manager = new ServiceManager({routes, env: {}, workspaces: {}, remove: doNothing, add: doNothing} as never)
    manager.add(runtime)
    write(`== APP - ${name} == weighed\n`)
    const wanted = {tail: 0, isFollowed: false, since: 0}
    const lines: string[] = []
    const gone = new AbortController().signal
    for await (const text of manager.backend.logs('scales', '2.0.0', wanted, gone)) lines.push(text)
    t.same(lines, ['weighed\n'], name)
  }
})

t.test('a deployment that comes after the end of the workspaces removes none that is kept', async t => {
  const root = mkdtempSync(join(tmpdir(), 'manager-'))
  t.teardown(() => rmSync(root, {recursive: true}))
  const workspaces = new Workspaces({HOME: root}, 'f'.repeat(32), {warn: doNothing})
  const archive = join(root, 'archive')
  writeFileSync(archive, tarOf({name: 'service.py', text: 'one'}))
  const file = join(await workspaces.unpack('hello_1.0.0', archive), 'service.py')
  writeFileSync(file, 'mine')
  await workspaces.close()
  const manager = new ServiceManager({routes: {}, env: {}, workspaces, remove: doNothing, add: doNothing} as never)
  const deployment = {name: 'hello', version: '1.0.0', port: 8000, env: {}, archive}
  t.equal(await manager.backend.deploy(deployment), 'the run ends')
  t.equal(readFileSync(file, 'utf8'), 'mine')
})
