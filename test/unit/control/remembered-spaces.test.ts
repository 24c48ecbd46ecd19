import {existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t from 'tap'
import {
  FORGOTTEN_AFTER_MS,
  forgetOld,
  remember,
  rememberedSpaces,
  spacesFolder
} from '../../../src/control/remembered-spaces.ts'
import {checkCopies} from '../../../src/clients/doctor/work.ts'

const folder = mkdtempSync(join(tmpdir(), 'spaces-'))
t.teardown(() => rmSync(folder, {recursive: true}))
const NOW = Date.now()
const DAY_MS = 86_400_000

/** A state folder with spaces that were used so many days ago. */
function spacesIn(name: string, days: Readonly<Record<string, number>>): {readonly XDG_STATE_HOME: string} {
  const env = {XDG_STATE_HOME: join(folder, name)}
  for (const [each, ago] of Object.entries(days)) {
    const at = join(spacesFolder(env), each)
    mkdirSync(at, {recursive: true})
    remember(at, {root: join(folder, each), copy: each.startsWith('named') ? 'b' : '', repository: ''})
    writeFileSync(join(at, 'redis-6379.db'), 'x'.repeat(2000))
    const used = new Date(NOW - ago * DAY_MS)
    for (const file of readdirSync(at)) utimesSync(join(at, file), used, used)
  }
  return env
}

const namesIn = (env: {readonly XDG_STATE_HOME: string}): readonly string[] =>
  rememberedSpaces(env).map(({name}) => name)

t.test('what nobody has used for 30 days is forgotten, of a thousand, too; what is used stays', async t => {
  const env = spacesIn('many', {
    ...Object.fromEntries(Array.from({length: 1000}, (_, i) => [`old-${i}`, 31 + i])),
    busy: 40,
    month: 29.9,
    today: 0
  })
  t.equal(rememberedSpaces(env).length, 1003)
  forgetOld(env, name => name === 'busy', NOW)
  t.same(namesIn(env), ['today', 'month', 'busy'])
  remember(join(spacesFolder(env), 'busy'), {root: '', copy: '', repository: ''})
  forgetOld(env, () => false, NOW)
  t.same(namesIn(env).toSorted(), ['busy', 'month', 'today'], 'it was used just now')
  t.equal(FORGOTTEN_AFTER_MS, 30 * DAY_MS)
})

t.test('what a killed one has left half removed, or half written, goes', async t => {
  const env = spacesIn('half', {'.gone-pr': 0, pr: 0, torn: 1})
  writeFileSync(join(spacesFolder(env), 'torn', 'about.json'), '{"ro')
  t.match(
    rememberedSpaces(env).find(({name}) => name === 'torn'),
    {root: '', copy: '', repository: ''}
  )
  forgetOld(env, () => false, NOW)
  t.same(readdirSync(spacesFolder(env)).toSorted(), ['pr', 'torn'])
  t.same(namesIn({XDG_STATE_HOME: join(folder, 'nothing')}), [])
  forgetOld({XDG_STATE_HOME: join(folder, 'nothing')}, () => false)
  t.notOk(existsSync(join(folder, 'nothing')))
})

t.test('doctor lists them, the one used last first, with those whose folder is gone', async t => {
  const env = spacesIn('doctor', {pr: 0, named: 1, old: 12})
  mkdirSync(join(folder, 'pr'))
  mkdirSync(join(folder, 'named'))
  const [check, ...others] = checkCopies(env, NOW)
  t.same(others, [])
  t.match(check, {kind: 'note', text: `3 copies have data of their own in ${spacesFolder(env)}`})
  const lines = check?.advice.split('\n') ?? []
  t.match(lines, [
    `pr: ${join(folder, 'pr')}, used today, 3 KB`,
    `named: --name b in ${join(folder, 'named')}, used yesterday, 3 KB`,
    `old: ${join(folder, 'old')}, which is gone, used 12 days ago, 3 KB`,
    'A copy that is not used for 30 days is forgotten when a copy starts. To forget one now: pillion copies forget NAME.'
  ])
  t.same(checkCopies({XDG_STATE_HOME: join(folder, 'nobody')}), [])
  const many = spacesIn('crowd', Object.fromEntries(Array.from({length: 30}, (_, i) => [`c${i}`, i])))
  t.match(checkCopies(many, NOW)[0]?.advice, /^… and 10 more$/m)
})

t.test('whose a space is is written again where its repository gets a remote', async t => {
  const env = spacesIn('remote', {main: 1})
  const [space] = rememberedSpaces(env)
  const owner = {root: space?.root ?? '', copy: '', repository: 'https://example.com/shop'}
  remember(space?.folder ?? '', owner)
  t.match(rememberedSpaces(env), [owner])
})
