import {existsSync, readdirSync} from 'node:fs'
import {mkdir} from 'node:fs/promises'
import {join} from 'node:path'
import type {Test} from 'tap'
import {openRig, type Rig} from './rig.ts'

export const SERVER = `require('node:http').createServer((_, response) => response.end('hello')).listen(process.env.PORT)`

/** A rig whose temporary files are in a folder of its own. */
export async function checked(t: Test): Promise<{rig: Rig; env: Record<string, string>; tmp: string}> {
  const rig = await openRig(t)
  const tmp = join(rig.folder, '../tmp')
  await mkdir(tmp)
  return {rig, tmp, env: {TMPDIR: tmp, PATH: `${join(rig.folder, 'bin')}:${process.env['PATH'] ?? ''}`}}
}

/** What a check has left behind, in the folder of the template, at home and among temporary files; not the hooks that all runs share. */
export const left = (rig: Rig, tmp: string): readonly string[] =>
  [rig.home, tmp, join(rig.folder, '.dapr')]
    .flatMap(folder => (existsSync(folder) ? readdirSync(folder, {recursive: true}).map(String) : []))
    .filter(name => !/^\.cache(?:\/pillion(?:\/port-hooks.*)?)?$/.test(name))
