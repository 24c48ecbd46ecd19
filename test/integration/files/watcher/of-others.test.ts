import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t from 'tap'
import {Watch, type WatchOptions} from '../../../../src/files/watcher/watcher.ts'

t.test('a save of a file that others follow is nothing that waits to be acted on', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'watch-'))
  const file = join(folder, 'dapr.yaml')
  writeFileSync(file, '1')
  const saved = Promise.withResolvers<void>()
  const unwanted = (): void => void t.fail('not here')
  const open = async (options: Pick<WatchOptions, 'watch' | 'except' | 'changed'>): Promise<Watch> => {
    const watch = new Watch({folder, since: Date.now() + 60_000, polls: unwanted, givesUp: unwanted, ...options})
    t.teardown(async () => {
      await watch.close()
      rmSync(folder, {recursive: true, force: true})
    })
    await watch.open()
    return watch
  }
  const all = {paths: ['**'], ignore: [], honoursGitignore: false}
  const ofApp = await open({watch: all, except: () => [file], changed: () => t.fail('of others')})
  await open({watch: {files: [file]}, changed: () => saved.resolve()})
  const seen = {isOver: false}
  let hasWaited = false
  void saved.promise.then(() => (seen.isOver = true))
  writeFileSync(file, '2')
  while (!seen.isOver) {
    hasWaited ||= ofApp.isSettling
    await new Promise(setImmediate)
  }
  t.notOk(hasWaited)
})
