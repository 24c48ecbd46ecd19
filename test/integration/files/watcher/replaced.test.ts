import fs, {mkdirSync, renameSync} from 'node:fs'
import {syncBuiltinESMExports} from 'node:module'
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
