import {systemText} from './paths.ts'

/** Returns how many files and connections this process may open; Infinity if unknown. */
export function maxDescriptors(): number {
  const limits = systemText('/proc/self/limits')
  return limits === '' ? fromReport() : numberOf(/^Max open files +(\S+)/m.exec(limits)?.[1])
}

/** Reads the limit from Node's report on systems without proc(5). The report takes some 10 ms, so only the first need reads it. */
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
