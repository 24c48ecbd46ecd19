import t from 'tap'
import {days} from '../rig/days.ts'

t.test('no event is lost or comes twice, whatever comes in whichever order: walks of 150 seeds', async t => {
  const {code, printed} = await days('--deliveries', '--seed', '1', '--seeds', '150', '--steps', '40')
  t.equal(code, 0, printed)
})

/** Walks that found something once. */
const FOUND: Readonly<Record<string, string>> = {
  'a subscription that is edited twice while the app has an event of it sends nothing to the route between':
    'publish 123 339, publish 424 977, file 393 431 …, say 715 72, file 324 605, file 853 696',
  'and one that is removed after an edit of its component sends nothing more':
    'publish 290 437, say 298 729, file 341 898, publish 20 916, component 329 922, file 810 265 …, start 760 473',
  'an app that falls asleep while no file names its broker is started by its events once one does':
    'say 210 813, publish 917 17, component 194 800, file 874 53, sleep 664 555',
  'and one that says what it reads while no file names its broker':
    'component 22 38 …, file 598 146, say 214 547 …, sleep 331 451'
}

for (const [what, walk] of Object.entries(FOUND))
  t.test(what, async t => {
    const {code, printed} = await days('--deliveries', '--tries', '0', '--walk', walk)
    t.equal(code, 0, printed)
  })
