import {mkdtempSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {codeOf} from '../model/errors.ts'

let made: string | undefined

/** Returns a folder for files of this process if their own folder is read-only. Throws the system's error if it cannot be made. */
export const spareFolder = (): string => (made ??= mkdtempSync(join(tmpdir(), 'pillion-')))

/** Whether an error says that a folder is read-only for us. */
export const refusesWrites = (error: unknown): boolean => ['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error))
