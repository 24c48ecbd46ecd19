import {mkdirSync, readFileSync, renameSync, rmSync, statSync, unlinkSync, utimesSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {systemClock, type Clock} from '../../../../src/platform/clock.ts'
import {TestClock} from '../../../rig/clock.ts'
import {limitAlone} from '../../../rig/limit.ts'
import {ALL, atRest, clock, save, Watching} from './watching.ts'

await limitAlone()

/** Each has a folder of its own, and waits most of the time for a rest. */
t.jobs = 8

t.test('each way to change a folder is one change', async t => {
  const w = new Watching()
  await w.open(t)
  const ways: readonly (readonly [string, () => void])[] = [
    ['a save in place', () => w.write('app.js', '2')],
    ['a save by rename', () => save(w.path('app.js'), '3')],
    [
      'a save with a backup',
      () => {
        renameSync(w.path('app.js'), w.path('app.js~'))
        w.write('app.js', '4')
        unlinkSync(w.path('app.js~'))
      }
    ],
    [
      'a new folder with files',
      () => {
        mkdirSync(w.path('src'))
        for (let i = 0; i < 100; i++) w.write(`src/${i}.js`, '1')
      }
    ],
    [
      'a checkout',
      () => {
        for (let i = 0; i < 100; i++) save(w.path(`src/${i}.js`), '2')
      }
    ],
    ['a file in the new folder', () => w.write('src/7.js', '3')],
    ['a folder that goes', () => rmSync(w.path('src'), {recursive: true})]
  ]
  for (const [index, [name, change]] of ways.entries()) {
    change()
    await w.changes(index + 1)
    await atRest()
    t.equal(w.told.length, index + 1, name)
  }
})

t.test('a file that is made, seen and deleted again is one change', async t => {
  const w = new Watching()
  const seen = Promise.withResolvers<void>()
  const after: Clock['after'] = (ms, fire) => {
    seen.resolve() // the rest after the first event begins
    return clock.after(ms, fire)
  }
  await w.open(t, ALL, {clock: {...clock, after}})
  w.write('made.txt', '1')
  await seen.promise
  unlinkSync(w.path('made.txt'))
  await w.changes(1)
  await atRest()
  t.same(w.told, [['made.txt']])
})

t.test('the same bytes, and what never counts, change nothing', async t => {
  const w = new Watching()
  await w.open(t)
  await w.marker()
  await atRest()
  w.write('app.js', '1')
  save(w.path('app.js'), '1')
  for (const path of '.dapr/logs/app.log node_modules/x/index.js .git/index out.log shop.db .app.js.swp'.split(' '))
    w.write(path, '1')
  await atRest()
  await w.marker()
  t.same(w.told.slice(0, -1), [['mark.txt']])
  t.same(
    w.told.at(-1)?.filter(path => path !== 'mark.txt'),
    []
  )
})

t.test('where each save is reported, one of the same bytes is, too', async t => {
  const w = new Watching()
  await w.open(t, ALL, {reportsSaves: true})
  await w.marker()
  w.write('app.js', '1')
  await w.changes(2)
  t.same(w.told.at(-1), ['app.js'])
})

t.test('another folder in place of the one that is followed: the files that differ count', async t => {
  const w = new Watching()
  mkdirSync(w.path('api'))
  for (const file of ['api/same.js', 'api/other.js']) w.write(file, '1')
  await w.open(t, ALL, {folder: w.path('api')})
  w.write('api/mark.js', '1')
  await w.changes(1)
  mkdirSync(w.path('new'))
  for (const [file, text] of [
    ['same.js', '1'],
    ['mark.js', '1'],
    ['other.js', '2']
  ] as const)
    w.write(`new/${file}`, text)
  renameSync(w.path('api'), w.path('old'))
  renameSync(w.path('new'), w.path('api'))
  await w.changes(2)
  t.ok(w.told.at(-1)?.includes('other.js'))
})

t.test('another folder in place of the one that is followed, by two commands: what is saved in it is seen', async t => {
  const w = new Watching()
  mkdirSync(w.path('api'))
  await w.open(t, ALL, {folder: w.path('api'), clock: systemClock})
  for (let times = 0; times < 10; times++) {
    mkdirSync(w.path('new'))
    w.write(`new/${times}.js`, '1')
    renameSync(w.path('api'), w.path(`old${times}`))
    await pause(times % 5) // the folder may be there again between two looks at it
    renameSync(w.path('new'), w.path('api'))
    await w.tells(`${times}.js`)
    w.write(`api/saved${times}.js`, '1')
    await w.tells(`saved${times}.js`)
  }
})

t.test('certain files, and an app beside them: another folder in place of theirs is followed', async t => {
  const [app, template] = [new Watching(), new Watching()]
  const folder = app.path('api')
  mkdirSync(folder)
  app.write('api/dapr.yaml', '1')
  await template.open(t, {files: [join(folder, 'dapr.yaml')]}, {folder, clock: systemClock})
  await app.open(t, ALL, {folder, clock: systemClock})
  for (let times = 0; times < 10; times++) {
    const before = template.told.length
    mkdirSync(app.path('new'))
    if (times % 2 === 0) app.write('new/dapr.yaml', '1') // else it goes with the folder
    app.write(`new/${times}.js`, '1')
    renameSync(folder, app.path(`old${times}`))
    await pause(5 * (times % 5))
    renameSync(app.path('new'), folder)
    await app.tells(`${times}.js`)
    await template.changes(before + 1)
    app.write(`api/saved${times}.js`, '1')
    await app.tells(`saved${times}.js`)
    app.write('api/dapr.yaml', `${times}`)
    await template.changes(before + 2)
  }
})

t.test('a file that goes while the rules are read again is a change', async t => {
  const w = new Watching()
  w.write('gone.js', '1')
  const going: string[] = []
  const date = (): number => {
    for (const path of going.splice(0)) unlinkSync(w.path(path))
    return clock.date()
  }
  await w.open(t, {...ALL, honoursGitignore: true}, {clock: {...clock, date}})
  going.push('gone.js') // right before the watcher is closed
  w.write('.gitignore', '*.tmp')
  await w.changes(2)
  t.same(w.told, [['.gitignore'], ['gone.js']])
})

t.test('what is built in a folder and has its name counts for itself, and says nothing of the others', async t => {
  const w = new Watching()
  mkdirSync(w.path('api/src'), {recursive: true})
  w.write('api/src/main.go', '1')
  await w.open(t, {...ALL, ignore: ['api']}, {folder: w.path('api')})
  w.write('api/api', 'a program')
  await atRest()
  w.write('api/mark.go', '1')
  await w.changes(1)
  t.same(w.told, [['mark.go']])
})

t.test('a save of a file that others follow makes the same bytes beside it no change', async t => {
  const w = new Watching()
  w.write('.env', 'A=1')
  await w.open(t, ALL, {except: () => [w.path('.env')]})
  await w.marker()
  await atRest()
  w.write('app.js', '1')
  save(w.path('.env'), '# a comment')
  await atRest()
  await w.marker()
  t.same(w.told, [['mark.txt'], ['mark.txt']])
  save(w.path('.env'), '# another')
  w.write('app.js', '2')
  await w.changes(3)
  t.same(w.told.at(-1), ['app.js'])
})

t.test('an edit of .gitignore counts at once, in the folder and above it', async t => {
  const w = new Watching()
  mkdirSync(w.path('api/made'), {recursive: true})
  mkdirSync(w.path('api/old'))
  w.write('.gitignore', 'old\n')
  w.write('api/made/a.js', '1')
  w.write('api/old/a.js', '1')
  const api = w.path('api')
  await w.open(t, {...ALL, honoursGitignore: true}, {folder: api})
  /** Saves a file again and again until that is seen. */
  const followed = async (file: string): Promise<void> => {
    const before = w.told.length
    while (!w.told.slice(before).flat().includes(file)) {
      w.write(`api/${file}`, `${performance.now()}`)
      await atRest()
    }
  }
  w.write('.gitignore', 'made\n')
  await followed('old/a.js')
  t.same(
    [...new Set(w.told.flat())],
    ['old/a.js'],
    'what is ignored no more is followed; a file above the folder is none of its files'
  )
  w.write('api/made/a.js', '2')
  await atRest()
  await followed('old/a.js')
  t.notOk(w.told.flat().includes('made/a.js'), 'what is ignored now is followed no more')
  w.write('api/.gitignore', '!made\n')
  await followed('made/a.js')
  t.ok(w.told.flat().includes('.gitignore'))
})

t.test('a save beside an edit of .gitignore counts, behind files that were written as they were', async t => {
  const w = new Watching()
  const same = Array.from({length: 50}, (_, n) => `api/${n}.js`)
  mkdirSync(w.path('api'))
  for (const file of [...same, 'api/z.js']) w.write(file, '1')
  w.write('.gitignore', 'old\n')
  await w.open(t, {...ALL, honoursGitignore: true}, {folder: w.path('api'), since: Date.now()})
  for (const times of [1, 2, 3]) {
    for (const file of same) w.write(file, '1')
    w.write('.gitignore', `${times}\n`)
    w.write('api/z.js', `${times + 1}`)
    await w.changes(times)
    t.ok(w.told.at(-1)?.includes('z.js'))
  }
})

t.test('what was changed before the watch stood counts, what was there before does not', async t => {
  const w = new Watching()
  const since = Date.now() - 1000
  await w.open(t, {paths: ['app.js'], ignore: [], honoursGitignore: false}, {since})
  await w.changes(1)
  t.same(w.told, [['app.js']])
})

t.test('a file whose date lies in the future was not changed by that', async t => {
  const w = new Watching()
  const since = Date.now() + 1000
  const tomorrow = new Date(since + 24 * 3600 * 1000)
  utimesSync(w.path('app.js'), tomorrow, tomorrow)
  await w.open(t, {paths: ['*.js'], ignore: [], honoursGitignore: false}, {since})
  w.write('other.js', '1')
  await w.changes(1)
  t.same(w.told, [['other.js']])
})

t.test('single files are followed wherever they are, also when they are replaced', async t => {
  const w = new Watching()
  await w.open(t, {files: [w.path('app.js'), w.path('.git/env')]})
  w.write('other.js', '1')
  save(w.path('app.js'), '2')
  await w.changes(1)
  await atRest()
  save(w.path('app.js'), '3')
  await w.changes(2)
  await atRest()
  w.write('.git/env', 'A=1')
  await w.changes(3)
  t.same(w.told.at(-1), ['.git/env'])
  t.equal(readFileSync(w.path('app.js'), 'utf8'), '3')
})

for (const [what, removed] of [
  ['a single file', 'template/dapr.yaml'],
  ['the folder of a single file', 'template']
] as const)
  t.test(`${what} is removed: what is beside it is not followed in its place`, async t => {
    const w = new Watching()
    mkdirSync(w.path('template/node_modules/x'), {recursive: true})
    w.write('template/dapr.yaml', '1')
    await w.open(t, {files: [w.path('template/dapr.yaml')]})
    rmSync(w.path(removed), {recursive: true})
    await w.changes(1)
    await atRest()
    mkdirSync(w.path('template/node_modules/x'), {recursive: true})
    w.write('template/node_modules/x/index.js', '1')
    w.write('template/other.js', '1')
    await atRest()
    w.write('template/dapr.yaml', '2')
    await w.changes(2)
    t.same(new Set(w.told.flat()), new Set(['template/dapr.yaml']))
  })

t.test('a mounted folder is looked at every half second, and why is told', async t => {
  const w = new Watching()
  await w.open(t, ALL, {mountedKind: async () => 'nfs'})
  t.same(w.polls, ['it is on a mounted file system (nfs)'])
  w.write('app.js', '2')
  await w.changes(1)
  t.same(w.told, [['app.js']])
})

t.test('nothing is told after the end', async t => {
  const w = new Watching()
  await w.open(t)
  w.write('app.js', '2')
  await w.close()
  await atRest()
  t.same(w.told, [])
})

t.test('too many files to be followed: that is told once, and none is followed, also when they come later', async t => {
  for (const isLater of [false, true]) {
    const files = new Watching()
    const fill = (): void => {
      for (let n = 0; n < 60; n++) files.write(`${n}.js`, 'x')
    }
    const {promise, resolve} = Promise.withResolvers<string>()
    if (!isLater) fill()
    // it stands still: a busy machine may take longer to count the files than changes rest
    const still = new TestClock()
    await files.open(t, ALL, {maxFiles: 50, givesUp: resolve, clock: still})
    if (isLater) fill()
    t.equal(await promise, `more than 50 files are in ${files.folder}`)
    await files.close()
    still.pass(10_000)
    t.same(files.told, [], 'nothing is told of those that came')
  }
})

t.test('a file that we write is no file of an app', async t => {
  const it = new Watching()
  it.write('out.txt', '')
  const {dev, ino} = statSync(it.path('out.txt'))
  await it.open(t, ALL, {outputs: [{dev, ino}]})
  for (let line = 0; line < 3; line++) it.write('out.txt', `${line}`)
  await it.marker()
  t.same(it.told.flat(), ['mark.txt'])
})

t.test('what counts for the limit is what is there: not twice after rules have changed, not what has gone', async t => {
  const w = new Watching()
  const made = ['a', 'b', 'c', 'd'].map(name => w.path(name))
  w.write('.gitignore', 'none\n')
  w.write('mark.txt', '')
  await w.open(t, {...ALL, honoursGitignore: true}, {maxFiles: 8})
  w.write('.gitignore', 'others\n')
  await w.marker()
  for (let times = 0; times < 2; times++) {
    for (const path of made) mkdirSync(path)
    await w.marker()
    for (const path of made) rmSync(path, {recursive: true})
    await w.marker()
  }
  t.same(w.givenUp, [])
})
