import {rename} from 'node:fs/promises'
import {join} from 'node:path'
import type {Rig} from './rig.ts'

/** Saves a file in one step, as editors do that rename: on a busy machine nobody sees it empty, and a save is one change. */
export async function save(rig: Rig, path: string, text: string): Promise<void> {
  await rig.write({'unsaved.tmp': text})
  await rename(join(rig.folder, 'unsaved.tmp'), join(rig.folder, path))
}
