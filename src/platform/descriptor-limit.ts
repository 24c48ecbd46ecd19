import {readFileSync} from 'node:fs'

/** How many files and connections this process may have open; Infinity where the system does not say. */
export function maxDescriptors(): number {
  try {
    const [, limit = ''] = /^Max open files +(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? []
    return numberOf(limit)
  } catch {
    return fromReport()
  }
}

/** Reads the limit from Node's report where there is no proc(5). It takes some 10 ms: only when the limit is first needed. */
function fromReport(): number {
  const report: NodeJS.ProcessReport & {excludeNetwork?: boolean} = process.report
  const {excludeNetwork = false} = report
  try {
    report.excludeNetwork = true
    const {userLimits} = report.getReport() as {readonly userLimits?: {readonly open_files?: {readonly soft?: number}}}
    return numberOf(userLimits?.open_files?.soft)
  } finally {
    report.excludeNetwork = excludeNetwork
  }
}

/** `unlimited` is a word. */
const numberOf = (limit: string | number | undefined): number => Number(limit) || Infinity
