/** What `test/integration/days-edits.test.ts` and its like do with few seeds, with more of them, and walks that found something once. */
import t from 'tap'
import {days} from '../rig/days.ts'

t.setTimeout(300_000)

t.test('what runs after edits of any kind is what a fresh run would run: walks of four more seeds', async t => {
  const {code, printed} = await days('--edits', '--seed', '2', '--seeds', '4', '--steps', '20')
  t.equal(code, 0, printed)
})

t.test('no event is lost or comes twice, whatever comes in whichever order: walks of 50 more seeds', async t => {
  const {code, printed} = await days('--deliveries', '--seed', '21', '--seeds', '50', '--steps', '40')
  t.equal(code, 0, printed)
})

/** Walks that found something once, and the seed with which they did. */
const EDITS: Readonly<Record<string, readonly [seed: string, walk: string]>> = {
  'the grace period that an edit gives an app is that of the end of the run': ['19', 'key 375 4'],
  'an app that is opened again has the name with its version in all of its logs': ['1', 'add version 0 0, key 34 0']
}

/** Of events; any seed does. */
const DELIVERIES: Readonly<Record<string, string>> = {
  'a subscription that is edited twice while the app has an event of it sends nothing to the route between':
    'publish 123 339, publish 424 977, file 393 431 …, say 715 72, file 324 605, file 853 696',
  'and one that is removed after an edit of its component sends nothing more':
    'publish 290 437, say 298 729, file 341 898, publish 20 916, component 329 922, file 810 265 …, start 760 473',
  'an app that falls asleep while no file names its broker is started by its events once one does':
    'say 210 813, publish 917 17, component 194 800, file 874 53, sleep 664 555',
  'and one that says what it reads while no file names its broker':
    'component 22 38 …, file 598 146, say 214 547 …, sleep 331 451'
}

/** In one process: that it is loaded costs as much as several walks. */
const walked = async (
  flag: string,
  walks: readonly (readonly [seed: string, walk: string])[]
): ReturnType<typeof days> =>
  days(flag, '--tries', '0', ...walks.flatMap(([seed, walk]) => ['--seed', seed, '--walk', walk]))

const ofEdits = walked('--edits', Object.values(EDITS))
for (const what of Object.keys(EDITS))
  t.test(what, async t => {
    const {code, printed} = await ofEdits
    t.equal(code, 0, printed)
  })

const ofDeliveries = walked(
  '--deliveries',
  Object.values(DELIVERIES).map((walk, at) => [`${at}`, walk])
)
for (const what of Object.keys(DELIVERIES))
  t.test(what, async t => {
    const {code, printed} = await ofDeliveries
    t.equal(code, 0, printed)
  })
