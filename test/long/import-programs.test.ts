import {chmod, mkdir} from 'node:fs/promises'
import {join} from 'node:path'
import t from 'tap'
import type {Files} from '../../src/packages/import/test/read.ts'
import {SMALL_PROJECTS} from '../rig/small-projects.ts'
import {openRig} from '../rig/rig.ts'

/** The paths of files, with their texts. */
const flat = (files: Files, at: string): readonly (readonly [string, string])[] =>
  Object.entries(files).flatMap(([name, each]) =>
    typeof each === 'string' ? [[`${at}/${name}`, each] as const] : flat(each, `${at}/${name}`)
  )

t.test('import --check of small projects in six languages: which program each lacks', async t => {
  const rig = await openRig(t)
  await rig.write(Object.fromEntries(Object.entries(SMALL_PROJECTS).flatMap(([name, {files}]) => flat(files, name))))
  await chmod(join(rig.folder, 'rails/bin/rails'), 0o755)
  await mkdir(join(rig.folder, 'none'))
  const env = {PATH: join(rig.folder, 'none')}
  const {code, stdout, stderr} = await rig.run(['import', '--check', '--timeout', '30s', '-o', 'json'], {env})
  t.equal(code, 1, stderr)
  const {apps} = JSON.parse(stdout) as {apps: {id: string; obstacle: {kind: string; text: string} | null}[]}
  const found = Object.fromEntries(apps.map(({id, obstacle}) => [id, `${obstacle?.kind}: ${obstacle?.text}`]))
  for (const [name, {program}] of Object.entries(SMALL_PROJECTS))
    t.match(found[name], new RegExp(`^program: "${program}" is not installed`), name)
})
