import type {Random} from '../../fuzz/random.ts'
import type {House} from './house.ts'
import {changed, entryOf, IDS, MINE, textOf, type Entry, type Template} from './template.ts'

/** The step makes no sense now. */
export class NoSense extends Error {}

type Act = (house: House, random: Random) => unknown

function save(house: House, template: Template): void {
  house.before = house.template
  house.template = template
  house.write('dapr.yaml', textOf(template))
}

const editApps =
  (edit: (apps: readonly Entry[], random: Random) => readonly Entry[]): Act =>
  (house, random) =>
    save(house, {...house.template, apps: edit(house.template.apps, random)})

function one(apps: readonly Entry[], random: Random): Entry {
  if (apps.length === 0) throw new NoSense()
  return random.pick(apps)
}

function freeId(apps: readonly Entry[], random: Random): string {
  const free = IDS.filter(id => apps.every(each => each.id !== id))
  if (free.length === 0) throw new NoSense()
  return random.pick(free)
}

/** Of one that is there; a fifth of the names is of none. */
const anId = ({apps}: House, random: Random): string =>
  apps.length === 0 || random.oneIn(5) ? random.pick(IDS) : random.pick(apps).id

const RESOURCES: readonly string[] = [
  'kind: Resiliency\nmetadata: {name: r}\nspec: {policies: {timeouts: {t: 1s}}, targets: {apps: {a: {timeout: t}}}}',
  'kind: Resiliency\nmetadata: {name: r}\nscopes: [b]\nspec: {policies: {timeouts: {t: 2s}}, targets: {apps: {a: {timeout: t}}}}',
  'kind: Component\nmetadata: {name: store}\nspec: {type: state.in-memory, version: v1, metadata: [{name: x, value: "1"}]}',
  'kind: Component\nmetadata: {name: store}\nspec: {type: state.in-memory, version: v1, metadata: [{name: x, value: "${X:-none}"}]}',
  'kind: Component\nmetadata: {name: bus}\nscopes: [a, c]\nspec: {type: pubsub.in-memory, version: v1}',
  'kind: Subscription\nmetadata: {name: s}\nspec: {topic: t, pubsubname: bus, routes: {default: /t}}',
  'kind: [broken'
]
const CONFIGURATIONS: readonly string[] = [
  'kind: Configuration\nmetadata: {name: c}\nspec: {accessControl: {defaultAction: deny}}',
  'kind: Configuration\nmetadata: {name: c}\nspec: {logging: {apiLogging: {enabled: true}}}',
  'kind: [broken'
]

const versioned = (text: string): string => `apiVersion: dapr.io/v1alpha1\n${text}\n`

/** A file comes, holds another thing, or goes. */
const file =
  (paths: readonly string[], textOfFile: (random: Random) => string): Act =>
  (house, random) => {
    const path = random.pick(paths)
    if (house.has(path) && random.oneIn(3)) house.remove(path)
    else house.write(path, textOfFile(random))
  }

export const KINDS: Readonly<Record<string, readonly [weight: number, act: Act]>> = {
  key: [
    24,
    editApps((apps, random) => {
      const entry = one(apps, random)
      return apps.map(each => (each === entry ? {...each, keys: changed(each.keys, random, false)} : each))
    })
  ],
  common: [
    4,
    (house, random) => save(house, {...house.template, common: changed(house.template.common, random, true)})
  ],
  add: [
    5,
    editApps((apps, random) => apps.toSpliced(random.below(apps.length + 1), 0, entryOf(freeId(apps, random), random)))
  ],
  'add version': [
    3,
    editApps((apps, random) => {
      const entry = one(apps, random)
      const second = {...entry, keys: {...entry.keys, version: '2.0.0', autoPort: true, appPort: undefined}}
      const first = random.oneIn(2) ? entry : {...entry, keys: {...entry.keys, version: '1.0.0'}}
      return [...apps.map(each => (each === entry ? first : each)), second]
    })
  ],
  remove: [5, editApps((apps, random) => apps.filter(each => each !== one(apps, random)))],
  rename: [
    3,
    editApps((apps, random) => {
      const entry = one(apps, random)
      return apps.map(each => (each === entry ? {...each, id: freeId(apps, random)} : each))
    })
  ],
  kind: [
    2,
    editApps((apps, random) => {
      const entry = one(apps, random)
      return apps.map(each => (each === entry ? {...each, kind: entryOf('', random).kind} : each))
    })
  ],
  'swap keys': [
    3,
    editApps((apps, random) => {
      const [x, y] = [one(apps, random), one(apps, random)]
      return apps.map(each => (each === x ? {...x, keys: y.keys} : each === y ? {...y, keys: x.keys} : each))
    })
  ],
  reorder: [2, editApps((apps, random) => apps.toSorted(() => random.below(3) - 1))],
  // a second file that is merged into the template, where the run has one
  mine: [
    4,
    (house, random) => {
      if (!house.has('mine.yaml')) throw new NoSense()
      house.write('mine.yaml', `${random.pick(MINE)}\n`)
    }
  ],
  interpolate: [
    3,
    (house, random) =>
      save(house, {...house.template, top: random.pick([{}, {interpolate: true}, {interpolate: './vars.env'}])})
  ],
  variables: [4, file(['vars.env'], random => `X=${random.below(50)}\n`)],
  break: [3, house => house.write('dapr.yaml', `${textOf(house.template)}  - {appID: [\n`)],
  mend: [
    8,
    async (house, random) => {
      // what the loader does not take is left out, from the end
      for (let template = house.template; ; template = {...template, apps: template.apps.slice(0, -1)}) {
        save(house, template)
        const isRight = await house.load().then(
          () => true,
          () => false
        )
        if (isRight) return
        if (template.apps.length <= 1) return save(house, {top: {}, common: {}, apps: [entryOf('a', random)]})
      }
    }
  ],
  undo: [5, house => save(house, house.before)],
  'save again': [2, house => house.write('dapr.yaml', textOf(house.template))],
  'env file': [
    5,
    file(
      ['shared.env', ...IDS.flatMap(id => [`f-${id}/.env`, `f-${id}/more.env`])],
      random => `FILE=${random.below(50)}\n`
    )
  ],
  resource: [6, file(['res/x.yaml', 'res/y.yaml', 'res2/x.yaml'], random => versioned(random.pick(RESOURCES)))],
  configuration: [4, file(['config.yaml', 'config2.yaml'], random => versioned(random.pick(CONFIGURATIONS)))],
  code: [
    6,
    file(
      IDS.map(id => `f-${id}/version.txt`),
      random => random.below(99).toString()
    )
  ],
  'bad code': [
    2,
    file(
      IDS.map(id => `f-${id}/version.txt`),
      random => `bad${random.below(99)}`
    )
  ],
  stop: [4, (house, random) => house.command(house.run?.control?.stopApp(anId(house, random)))],
  start: [3, (house, random) => house.command(house.run?.control?.startApp(anId(house, random)))],
  restart: [4, (house, random) => house.command(house.run?.control?.restartApp(anId(house, random)))],
  debug: [2, (house, random) => house.command(house.run?.control?.debugApp(anId(house, random)))],
  kill: [
    3,
    ({machine}, random) => {
      if (machine.living.length > 0) random.pick(machine.living).exit({kind: 'signal', signal: 'SIGKILL'})
    }
  ],
  call: [
    6,
    (house, random) => {
      const [from, to] = [anId(house, random), anId(house, random)]
      const [port] = random.oneIn(3) ? house.machine.bound.keys() : []
      house.calls.make({from, to, ...(port !== undefined && {port})})
    }
  ],
  pass: [4, async ({machine}, random) => machine.pass(random.below(3000))],
  'clock jumps': [1, ({machine}, random) => machine.jump((random.below(20) - 10) * 60_000)]
}

export const WEIGHTED: readonly string[] = Object.entries(KINDS).flatMap(([kind, [weight]]) =>
  Array.from({length: weight}, () => kind)
)
