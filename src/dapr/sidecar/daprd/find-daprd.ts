import {join} from 'node:path'
import {messageOf} from '../../../model/errors.ts'
import {SingleFlight} from '../../../model/single-flight.ts'
import {findProgram, versionOf} from '../../../platform/program-version.ts'

/** The program of a real Dapr sidecar on this machine. */
export interface DaprdProgram {
  readonly path: string
  readonly version: string
}

/** Oldest version with the flags and the API that Pillion needs. */
const OLDEST = [1, 12] as const

/** Parses `1.13.5` as [1, 13]; undefined: a development build without a version. */
const partsOf = (version: string): readonly [number, number] | undefined => {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? []
  return major === undefined || minor === undefined ? undefined : [Number(major), Number(minor)]
}

/** Whether a version is at least this one. A development build without a version counts as new. */
export const isFrom = (version: string, [major, minor]: readonly [number, number]): boolean => {
  const parts = partsOf(version)
  return parts === undefined || parts[0] > major || (parts[0] === major && parts[1] >= minor)
}

const checks = new SingleFlight<string, DaprdProgram | string>()

/** Finds daprd in Dapr's folder, else on the PATH. Resolves with a text, the reason, if there is none or it is too old. */
export async function findDaprd(daprFolder: string, searchPath: string): Promise<DaprdProgram | string> {
  const path = findProgram('daprd', join(daprFolder, 'bin')) ?? findProgram('daprd', searchPath)
  if (path === undefined) return 'no daprd is installed'
  return checks.do(path, async () => check(path))
}

async function check(path: string): Promise<DaprdProgram | string> {
  let version: string
  try {
    version = await versionOf(path)
  } catch (error) {
    return `${path} does not tell its version: ${messageOf(error).split('\n')[0] ?? ''}`
  }
  if (isFrom(version, OLDEST)) return {path, version}
  return `${path} is version ${version}, and ${OLDEST.join('.')} or later is needed`
}
