import t from 'tap'
import {days} from '../rig/days.ts'

t.test('what runs after edits of any kind is what a fresh run would run: walks of twelve seeds', async t => {
  const {code, printed} = await days('--edits', '--seed', '1', '--seeds', '12', '--steps', '20')
  t.equal(code, 0, printed)
})

/** Walks that found something once, and the seed with which they did. */
const FOUND: Readonly<Record<string, readonly [seed: string, walk: string]>> = {
  'the grace period that an edit gives an app is that of the end of the run': ['19', 'key 375 4'],
  'an app that is opened again has the name with its version in all of its logs': ['1', 'add version 0 0, key 34 0']
}

for (const [what, [seed, walk]] of Object.entries(FOUND))
  t.test(what, async t => {
    const {code, printed} = await days('--edits', '--seed', seed, '--tries', '0', '--walk', walk)
    t.equal(code, 0, printed)
  })
