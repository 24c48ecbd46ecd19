/** What an app's daprd tries again. */
import {existsSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {answered, open, reading, resource} from '../integration/dapr/sidecar/app-daprd.ts'
import type {ConfigurationItems, ConfigurationStore} from '../../src/dapr/components/configuration-store.ts'
import {pause} from '../../src/platform/delay.ts'

t.test('a subscription to configuration that the next daprd refuses at first continues there', async t => {
  const {daprd, pids, lines, folder} = open(t)
  const config = resource('config', 'configuration.azure.appconfig')
  daprd.follow([config])
  const store = (await daprd.open(config)) as ConfigurationStore
  let told: ConfigurationItems | undefined
  await store.subscribe([], {}, items => (told = items))
  writeFileSync(join(folder, 'refused'), '')
  daprd.follow([config, resource('two')])
  await daprd.open(resource('two'))
  const subscribed = join(folder, `subscribed-${pids[1]}`)
  const seen = async (): Promise<true | undefined> => (existsSync(subscribed) ? true : undefined)
  for (const _ of ['at once', 'later']) {
    await answered(seen)
    rmSync(subscribed)
  }
  rmSync(join(folder, 'refused'))
  // it is not known which of its questions comes first: each change is told, and has no effect before the one that is answered
  const change = async (): Promise<ConfigurationItems | undefined> => {
    process.kill(pids[1] ?? 0, 'SIGUSR2')
    return told
  }
  t.match(await answered(change), {k: {value: `${pids[1]}`}})
  const levels = lines.flatMap(line => (line.includes('cannot continue yet') ? line.split(':', 1) : []))
  t.strictSame(levels.slice(0, 2), ['error', 'debug'], 'once it is an error')
})

t.test('a topic that an app reads from now on is read though daprd cannot be replaced at first', async t => {
  const {pids, folder, add, topicsOf} = await reading(t)
  add('first')
  while ((await topicsOf(-1)).length === 0) await pause(5)
  writeFileSync(join(folder, 'down'), '')
  const before = pids.length
  add('second')
  while (pids.length === before) await pause(5)
  while (isThere(pids.at(-1))) await pause(5)
  rmSync(join(folder, 'down'))
  while ((await topicsOf(-1)).length < 2) await pause(5)
  t.strictSame(await topicsOf(-1), ['first', 'second'])
})

t.test('topics are read again by a daprd that has ended too often, once it can start', async t => {
  const {pids, folder, warned, add, topicsOf} = await reading(t)
  add('first')
  while ((await topicsOf(-1)).length === 0) await pause(5)
  writeFileSync(join(folder, 'down'), '')
  process.kill(pids.at(-1) ?? 0, 'SIGKILL')
  while (!warned.some(text => text.includes('times in a row'))) await pause(5)
  // one that has begun before may live, as it looks for this file later
  rmSync(join(folder, 'down'))
  t.strictSame(await topicsOf(-1), ['first'])
})

function isThere(pid = 0): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
