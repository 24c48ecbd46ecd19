import {appendFileSync, chmodSync, statSync, unlinkSync, utimesSync, writeFileSync} from 'node:fs'
import {basename, join} from 'node:path'
import t, {type Test} from 'tap'
import {FileHashes, type Came} from '../../../../src/files/watcher/file-hashes.ts'

/** Some files, seen in this order by contents that hash so many of them. */
const seen = (t: Test, names: readonly string[], maxWaiting: number) => {
  const folder = t.testdir(Object.fromEntries(names.map(name => [name, 'as it was'])))
  const written: string[] = []
  const hashes = new FileHashes(each => written.push(basename(each)), maxWaiting)
  t.teardown(() => hashes.close())
  const path = (name: string): string => join(folder, name)
  for (const name of names) {
    utimesSync(path(name), 1, 1)
    hashes.learn(path(name), statSync(path(name)))
  }
  return {
    hashes,
    /** The files that were found to be written before they were hashed. */
    written,
    path,
    /** Whether a save counts; `how` as the watch would tell it. */
    counts: async (name: string, how: Came = 'other') => hashes.differ(new Map([[path(name), how]]))
  }
}

t.test('a first save with the same bytes does not count', async t => {
  const {hashes, path, counts} = seen(t, ['a'], 1)
  await hashes.hash()
  writeFileSync(path('a'), 'as it was')
  t.equal(await counts('a'), false)
  writeFileSync(path('a'), 'as it is.')
  t.equal(await counts('a'), true)
})

t.test('nor a later one, though nothing had to be read when the folder was seen again', async t => {
  const {hashes, path, counts} = seen(t, ['a'], 1)
  await hashes.hash()
  await hashes.hash() // as after another .gitignore
  writeFileSync(path('a'), 'more than it was')
  t.equal(await counts('a'), true)
  await hashes.hash()
  utimesSync(path('a'), 2, 2)
  t.equal(await counts('a'), false)
})

t.test('what is written after it was seen and before it is hashed is a change, once', async t => {
  const {hashes, path, counts, written} = seen(t, ['a', 'b', 'c', 'd'], 4)
  writeFileSync(path('b'), 'as it is.')
  writeFileSync(path('c'), 'as it is.')
  unlinkSync(path('d'))
  t.equal(await counts('c'), true, 'the watch said so first')
  await hashes.hash()
  t.same(written, ['b', 'd'])
  t.equal(await counts('b'), true)
  t.equal(await counts('b'), false)
  await hashes.hash()
  t.same(written, ['b', 'd'])
})

t.test('beyond the limit the first save counts, whatever its bytes, and no later one that changes nothing', async t => {
  const {hashes, path, counts} = seen(t, ['a', 'b'], 1)
  await hashes.hash()
  writeFileSync(path('a'), 'as it was')
  t.equal(await counts('a'), false)
  writeFileSync(path('b'), 'as it was')
  t.equal(await counts('b'), true)
  await hashes.hash()
  writeFileSync(path('b'), 'as it was')
  t.equal(await counts('b'), false)
})

t.test('a file that was touched by no write does not count, hashed or not', async t => {
  const {path, counts} = seen(t, ['a'], 0)
  chmodSync(path('a'), 0o600)
  t.equal(await counts('a'), false)
  appendFileSync(path('a'), '.')
  t.equal(await counts('a'), true)
})

t.test('what came or went counts; what came and went before anybody looked does as well', async t => {
  const {path, counts} = seen(t, ['a'], 1)
  unlinkSync(path('a'))
  t.equal(await counts('a'), true)
  t.equal(await counts('a'), false, 'it is known to be gone')
  t.equal(await counts('a', 'appeared'), true)
  writeFileSync(path('a'), '')
  t.equal(await counts('a', 'appeared'), true)
})

t.test('of many that change together, each is known again afterwards', async t => {
  const names = ['a', 'b', 'c']
  const {hashes, path, counts} = seen(t, names, 3)
  await hashes.hash()
  for (const name of names) writeFileSync(path(name), 'as it is')
  t.equal(await hashes.differ(new Map(names.map(name => [path(name), 'other']))), true)
  await hashes.hash()
  for (const name of names) writeFileSync(path(name), 'as it is')
  for (const name of names) t.equal(await counts(name), false, name)
})

t.test('of many that change together, each that is saved again before it is hashed counts', async t => {
  const names = Array.from({length: 300}, (_, number) => `${number}.js`)
  const {hashes, path, counts} = seen(t, names, names.length)
  await hashes.hash()
  for (const name of names) writeFileSync(path(name), 'another branch')
  t.equal(await hashes.differ(new Map(names.map(name => [path(name), 'other']))), true)
  const again = names.filter((_, index) => index % 20 === 19)
  for (const name of again) writeFileSync(path(name), 'a repair of it')
  await hashes.hash()
  for (const name of again) t.equal(await counts(name), true, name)
  await hashes.hash()
  for (const name of again) writeFileSync(path(name), 'a repair of it')
  for (const name of again) t.equal(await counts(name), false, 'with the same bytes it does not')
})

t.test('a file that goes and comes back before it is hashed counts', async t => {
  const {hashes, path, counts} = seen(t, ['a', 'b'], 2)
  await hashes.hash()
  unlinkSync(path('a'))
  writeFileSync(path('b'), 'as it is')
  const came = new Map<string, Came>([
    [path('b'), 'other'],
    [path('a'), 'other']
  ])
  t.equal(await hashes.differ(came), true)
  writeFileSync(path('a'), 'as it was')
  await hashes.hash()
  t.equal(await counts('a', 'appeared'), true)
})
