import {readdirSync} from 'node:fs'
import t from 'tap'
import {removeOldLogs} from '../../../../src/observe/logging/old-logs.ts'

const FILES = {'a_app_20260101000001.log': '', 'a_app_20260101000002.log': '', 'a_daprd_20260101000001.log': ''}

t.test('where it is not known what is still written, nothing is removed', async t => {
  const folder = t.testdir(FILES)
  await removeOldLogs([{folder, name: 'a', keep: 1}], async () => undefined)
  t.equal(readdirSync(folder).length, 3)
  await removeOldLogs([{folder, name: 'a', keep: 1}], async () => new Set<string>())
  t.same(readdirSync(folder).toSorted(), ['a_app_20260101000002.log', 'a_daprd_20260101000001.log'])
})

t.test('where nothing is old, nobody is asked; a folder that is not there is none', async t => {
  const folder = t.testdir(FILES)
  const nobody = async (): Promise<undefined> => t.fail('asked') as never
  await removeOldLogs([{folder, name: 'a', keep: 2}], nobody)
  await removeOldLogs([{folder, name: 'a', keep: 0}], nobody)
  await removeOldLogs([{folder: `${folder}/none`, name: 'a', keep: 1}], nobody)
  t.equal(readdirSync(folder).length, 3)
})
