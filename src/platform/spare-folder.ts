import {mkdtempSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {codeOf} from '../model/errors.ts'

let made: string | undefined

/** Returns the folder for files of this process whose own folder is read-only. Throws the error of the system if there is none, too. */
export const spareFolder = (): string => (made ??= mkdtempSync(join(tmpdir(), 'pillion-')))

/** Whether an error says that a folder is read-only for us. */
export const refusesWrites = (error: unknown): boolean => ['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error))
