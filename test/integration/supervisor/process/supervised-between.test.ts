// What is asked of an app that has no process at the moment.
import {test} from 'tap'
import {Scene} from './scene.ts'

test('a save while the folder is prepared counts, though that fails: it is prepared again', async t => {
  const folders = ['/', undefined, '/tmp']
  const {app, witness} = new Scene(t).app(
    {command: ['pwd'], restart: 'no'},
    {
      folder: async () => {
        const folder = folders.shift()
        if (folder !== undefined) return Promise.resolve(folder)
        app.restart('watch')
        throw new Error('no space left on device')
      },
      next: ({exit}) => ({kind: folders.length > 0 && exit.kind === 'code' ? 'waits' : 'ends'})
    }
  )
  await app.start()
  await witness.phase('backoff')
  app.restart('watch')
  t.match(await app.ended, {exit: {kind: 'code', code: 0}, asked: false})
  t.match(witness.text.stdout, /\n\/tmp\n$/)
})

test('one that is to sleep while it waits for its next start sleeps, and is started again', async t => {
  const {app, witness} = new Scene(t).app({command: ['false'], restart: 'always'}, {next: () => ({kind: 'waits'})})
  await app.start()
  await witness.phase('backoff')
  app.sleep()
  await witness.phase('asleep')
  await app.start()
  await witness.phase('backoff', 2)
})
