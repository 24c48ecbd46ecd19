import {mkdirSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {usageOf} from '../rig/usage.ts'
import {isLong} from './flooding.ts'

const FOLDERS = isLong ? 500 : 50
const FILES = 100
/** Of one watched file: its name, and the hash by which a save that changes nothing is known. */
const MOST_KB = 4

t.test(`${FOLDERS * FILES} watched files: the first and the last are seen when they are saved`, async t => {
  const rig = await openRig(t)
  for (let folder = 0; folder < FOLDERS; folder++) {
    const path = join(rig.folder, 'shop', `part-${folder}`)
    mkdirSync(path, {recursive: true})
    for (let file = 0; file < FILES; file++) writeFileSync(join(path, `file-${file}.txt`), 'text')
  }
  await rig.template([{appID: 'shop', command: ['sh', '-c', 'echo "up $(cat part-0/file-0.txt)"; exec sleep 600']}])
  const plain = rig.pillion(['run', '-f', '.'])
  await plain.waitForLine('== APP - shop == up text')
  const {megabytes: without} = await usageOf(plain.pid)
  await plain.end()

  const run = rig.pillion(['run', '-f', '.', '--watch'])
  await run.waitForLine('== APP - shop == up text')
  const names = [`part-0/file-0.txt`, `part-${FOLDERS - 1}/file-${FILES - 1}.txt`]
  for (const [index, name] of names.entries()) {
    await rig.write({[`shop/${name}`]: 'changed'})
    await run.waitForLine(new RegExp(`shop: reloaded in \\d+ ms \\(${name}\\)`))
    await run.waitForLine('== APP - shop == up changed', {nth: index + 1})
  }
  const {megabytes, descriptors} = await usageOf(run.pid)
  t.ok(descriptors < 200, `${descriptors} descriptors`)
  const kilobytes = ((megabytes - without) * 1000) / (FOLDERS * FILES)
  if (isLong) t.ok(kilobytes < MOST_KB, `${kilobytes.toFixed(2)} KB each`)
  t.equal(run.stderr.text, '')
})
