import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {AppPlan} from '../../../src/model/plan.ts'

const nothing = async (): Promise<void> => undefined
const FOLDER = mkdtempSync(join(tmpdir(), 'workspaces-'))
process.on('exit', () => rmSync(FOLDER, {recursive: true, force: true}))

/** Services run in their own folders: copying them takes real time. */
export class Workspaces {
  folder = (): string => FOLDER
  folderOf = async ({folder}: AppPlan): Promise<string> => folder
  open = nothing
  drop = nothing
  dropUnchanged = nothing
  keepOnly = nothing
  close = async (): Promise<readonly string[]> => []
}
