import fs, {mkdirSync, renameSync, rmSync, symlinkSync} from 'node:fs'
import {syncBuiltinESMExports} from 'node:module'
import {join, relative} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {systemClock} from '../../../../src/platform/clock.ts'
import {ALL, atRest, Watching} from './watching.ts'

t.test('another folder in place of the one that begins to be followed: what is saved in it is seen', async t => {
  const w = new Watching()
  const api = w.path('api')
  for (const folder of ['api', 'new']) mkdirSync(w.path(folder))
  const {watch} = fs
  const replace = (to: typeof watch): void => {
    Object.assign(fs, {watch: to})
    syncBuiltinESMExports()
  }
  t.teardown(() => replace(watch))
  const late = (...args: Parameters<typeof watch>): fs.FSWatcher => {
    if (args[0] !== api) return watch(...args)
    replace(watch)
    renameSync(api, w.path('old'))
    try {
      return watch(...args) // which fails: it is not there in this moment
    } finally {
      renameSync(w.path('new'), api)
    }
  }
  replace(late as typeof watch)
  await w.open(t, ALL, {folder: api, clock: systemClock})
  await atRest()
  w.write('api/saved.js', '1')
  await w.tells('saved.js')
})

const putApi = (w: Watching): void => {
  mkdirSync(w.path('api'))
  w.write('api/code.js', '1')
}

t.test('another folder in place of the app’s own is a change, whatever it holds: the process has the old', async t => {
  const w = new Watching()
  putApi(w)
  await w.open(t, ALL, {folder: w.path('api')})
  for (let times = 1; times <= 2; times++) {
    await atRest() // its bytes are known by then
    rmSync(w.path('api'), {recursive: true})
    putApi(w)
    await w.changes(times)
  }
  await atRest()
  t.same(w.told, [['code.js'], ['code.js']])
})

t.test('a folder that is gone for a while is one change when it goes, and one when it is there again', async t => {
  const w = new Watching()
  putApi(w)
  await w.open(t, ALL, {folder: w.path('api')})
  await atRest()
  rmSync(w.path('api'), {recursive: true})
  await w.changes(1)
  putApi(w)
  await w.changes(2)
  for (let looks = 0; looks < 3; looks++) await atRest() // by then it was looked whether another folder is in place
  t.equal(w.told.length, 2)
})

t.test('another folder within the app’s own, with the same bytes, is no change, also after one there', async t => {
  const [w, inner] = [new Watching(), new Watching()]
  const put = (at: string): void => {
    mkdirSync(w.path(`${at}/sub`), {recursive: true})
    for (const file of ['code.js', 'sub/code.js']) w.write(`${at}/${file}`, '1')
  }
  put('api')
  await w.open(t, ALL, {folder: w.path('api')})
  await inner.open(t, ALL, {folder: w.path('api/sub')})
  for (let times = 1; times <= 2; times++) {
    await atRest()
    renameSync(w.path('api'), w.path(`old${times}`))
    put('api')
    await Promise.all([w.changes(times), inner.changes(2 * times - 1)])
    await atRest()
    put(`new${times}`)
    renameSync(w.path('api/sub'), w.path(`sub${times}`))
    renameSync(w.path(`new${times}/sub`), w.path('api/sub'))
    await inner.changes(2 * times)
  }
  await atRest()
  t.equal(w.told.length, 2)
})

/** The folder of an app, and what follows it, or the code in it; no one of them is told that another folder is in place. */
for (const paths of [['shop/api'], ['shop/api', '.'], ['.', 'shop/api'], ['shop', 'shop/api']])
  t.test(`another folder above is put in place for followers of ${paths.join(' and ')}: saves are seen`, async t => {
    const w = new Watching()
    const put = (folder: string): void => {
      mkdirSync(w.path(`${folder}/api`), {recursive: true})
      w.write(`${folder}/api/code.js`, folder)
    }
    put('shop')
    const all = paths.map(path => ({path, watching: new Watching()}))
    for (const {path, watching} of all)
      await watching.open(t, ALL, {folder: w.path(path).replace(/\/\.$/, ''), clock: systemClock})
    for (const [at, name] of ['first', 'second'].entries()) {
      put(`new${at}`)
      renameSync(w.path('shop'), w.path(`old${at}`))
      renameSync(w.path(`new${at}`), w.path('shop'))
      const isTold = ({path, watching}: (typeof all)[number]): boolean =>
        watching.told.flat().includes(relative(w.path(path), w.path(`shop/api/${name}.js`)))
      // until it has been looked which folders are there, nothing is told
      for (let n = 0; !all.every(isTold); n++) {
        w.write(`shop/api/${name}.js`, `${n}`)
        await pause(200)
      }
    }
  })

t.test('a link that leads to the folder is pointed to another: its files, and saves of them, are seen', async t => {
  const app = new Watching()
  const certain = new Watching()
  const point = (version: string): void => {
    mkdirSync(app.path(version))
    for (const file of ['code.js', 'dapr.yaml']) app.write(`${version}/${file}`, version)
    symlinkSync(version, app.path('next'))
    renameSync(app.path('next'), app.path('current'))
  }
  point('v1')
  const folder = app.path('current')
  await app.open(t, ALL, {folder, clock: systemClock})
  await certain.open(t, {files: [join(folder, 'dapr.yaml')]}, {folder, clock: systemClock})
  for (const [at, version] of ['v2', 'v3'].entries()) {
    point(version)
    await app.tells('code.js')
    await certain.changes(2 * at + 1)
    app.write(`${version}/saved-${version}.js`, '1')
    await app.tells(`saved-${version}.js`)
    app.write(`${version}/dapr.yaml`, 'saved')
    await certain.changes(2 * at + 2)
  }
})
