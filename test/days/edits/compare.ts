import type {AppRuntime} from '../../../src/supervisor/app-runtime.ts'
import {current} from '../simulated/machine.ts'
import {House} from './house.ts'
import {ledgerOf} from './ledger.ts'

/** What a run has open, each thing by its name, in words: numbers from 1000 on are of the machine's choice. */
export type Picture = Readonly<Record<string, unknown>>

const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value ?? null, (key, each: unknown) =>
      typeof each === 'function'
        ? undefined
        : each instanceof Map
          ? [...each]
          : each instanceof Set
            ? [...each]
            : key === 'source'
              ? undefined
              : typeof each === 'number' && each >= 1000 && /port|listens/i.test(key)
                ? '#'
                : key === 'daeploy.auth'
                  ? undefined
                  : typeof each === 'string'
                    ? each
                        .replace(/^.*\.cache\/pillion\/.*$/, 'a cache')
                        .replace(/^.*\/f-.$/, '')
                        .replaceAll(/[0-9a-f]{64}/g, '#')
                        .replaceAll(/\b\d{4,}\b/g, '#')
                    : each
    )
  ) as unknown

const nameOf = (runtime: AppRuntime): string => `${runtime.name}@${runtime.plan.version}`

/** Whether what it does now depends on what was asked of it. */
const mayRest = ({wanted}: AppRuntime): boolean => wanted.lazy === true || wanted.idleTimeoutMs !== undefined

export async function pictureOf(house: House): Promise<Picture> {
  const {machine, apps} = house
  const {opened, launched, followed, held, graces} = ledgerOf(machine)
  const picture: Record<string, unknown> = {apps: apps.map(({id, version, instance}) => `${id}.${instance}@${version}`)}
  for (const {runtime, resources} of opened) {
    const name = nameOf(runtime)
    if (picture[`${name} plan`] !== undefined) picture[`${name} twice`] = true
    picture[`${name} plan`] = plain(runtime.plan)
    picture[`${name} wanted`] = plain(runtime.wanted)
    picture[`${name} launch`] = plain(await runtime.opening.launch())
    picture[`${name} resources`] = plain(resources.snapshot)
    picture[`${name} faults`] = [...runtime.opening.faults]
    picture[`${name} protocol`] = runtime.pool.protocol
    const told = apps.find(
      each => each.id === runtime.id && each.version === runtime.plan.version && each.instance === runtime.plan.instance
    )
    if (told === undefined || mayRest(runtime)) continue
    const {pid, createdAt: _c, startedAt: _s, restarts: _r, recent: _n, loop: _l, ...facts} = told
    picture[`${name} facts`] = plain(facts)
    picture[`${name} queue`] = runtime.queue.state
    const process = machine.living.find(each => each.pid === pid)
    const {command, limited} = launched.get(pid) ?? {}
    picture[`${name} process`] =
      process &&
      plain({
        id: process.id,
        env: without(process.env),
        folder: process.folder,
        text: runtime.plan.watch.paths.length > 0 && process.text,
        listens: process.listens,
        command,
        limited,
        graceMs: graces.get(pid)
      })
  }
  picture['ports'] = [...machine.bound].map(([port, contextOf]) => `${port} ${contextOf?.().callee}`).toSorted()
  picture['followed'] = followed.map(roots => roots.join(' ')).toSorted()
  picture['held'] = [...held.keys()].map(port => (port >= 1000 ? '#' : `${port}`)).toSorted()
  return picture
}

const without = ({PILLION_RUN: _r, PILLION_LIFE: _l, ...env}: Readonly<Record<string, string>>): object => env

/** What differs between the run and a fresh one of the same files. */
export async function differences(house: House, seed: number): Promise<readonly string[]> {
  const is = await pictureOf(house)
  const fresh = new House(seed, house.folder)
  current.machine = fresh.machine
  try {
    for (const [path, file] of house.machine.files) fresh.machine.files.set(path, file)
    await fresh.up()
    if (fresh.hasFailed) return []
    await fresh.rest()
    const stopped = new Set(fresh.apps.flatMap(({id, state}) => (state === 'stopped' ? id : [])))
    if (fresh.apps.some(({id, state}) => state !== 'stopped' && stopped.has(id))) return []
    // what somebody has started, though its profile leaves it out
    for (const {id, state} of house.apps)
      if (state !== 'stopped' && fresh.apps.some(each => each.id === id && each.state === 'stopped'))
        fresh.command(fresh.run?.control?.startApp(id))
    await fresh.rest()
    // one of these could not be opened
    if (fresh.apps.some(({id, state}) => state === 'stopped' && !stopped.has(id))) return []
    if (
      house.apps.some(
        ({id, state}) => state !== 'stopped' && fresh.apps.some(each => each.id === id && each.state === 'stopped')
      )
    )
      return []
    const should = await pictureOf(fresh)
    await fresh.down()
    if (fresh.faults.length > 0) return fresh.faults.map(fault => `of a fresh run: ${fault}`)
    // of several instances, those that wait for one that does not become ready keep what they have
    const unready = new Set(house.apps.flatMap(({id, isReady}) => (isReady ? [] : id)))
    const several = new Set(house.apps.flatMap(({id, instance}) => (instance > 1 && unready.has(id) ? id : [])))
    // what was started before a dependency of it became what it is goes on
    const waits = (key: string): boolean =>
      several.has(key.replace(/[.@].*/s, '')) ||
      (/^\S+ (?:facts|queue|process)$/.test(key) &&
        JSON.stringify(should[key.replace(/ .*/, ' facts')])?.includes('"idle"'))
    // what nobody names any more may be followed all the same
    const lost = followedIn(should).filter(roots => !followedIn(is).includes(roots))
    if (lost.length > 0) return [`nobody follows ${lost.join(', ')}`]
    return [...new Set([...Object.keys(is), ...Object.keys(should)])].flatMap(key =>
      waits(key) || key === 'followed' ? [] : differenceOf(key, is[key], should[key])
    )
  } finally {
    current.machine = house.machine
  }
}

const followedIn = ({followed}: Picture): readonly unknown[] => followed as readonly unknown[]

function differenceOf(path: string, is: unknown, should: unknown): readonly string[] {
  if (JSON.stringify(is) === JSON.stringify(should)) return []
  if (isObject(is) && isObject(should))
    return [...new Set([...Object.keys(is), ...Object.keys(should)])].flatMap(key =>
      differenceOf(`${path}.${key}`, is[key], should[key])
    )
  return [`${path} is ${JSON.stringify(is)}, and of a fresh run ${JSON.stringify(should)}`]
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null
