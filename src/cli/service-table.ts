import type {Service} from '../model/api.generated.ts'

const HEADS = ['MAIN', 'NAME', 'VERSION', 'STATUS', 'RUNNING'] as const

/** The table of Daeploy's `ls`, as Python's tabulate prints it, right-trimmed; one empty row if there are no services. */
export function serviceTable(services: readonly Service[]): string {
  const rows = services.map(({name, version, isMain, status, startedAt, finishedAt}) => [
    isMain ? '*' : '',
    name,
    version,
    status,
    status === 'running' ? `Running (since ${seconds(startedAt)})` : `Stopped (since ${seconds(finishedAt)})`
  ])
  const widths = HEADS.map((head, i) => Math.max(head.length + 2, ...rows.map(row => row[i]?.length ?? 0)))
  const lines = [HEADS, widths.map(width => '-'.repeat(width)), ...(rows.length === 0 ? [['']] : rows)]
  return lines
    .map(
      cells =>
        `${cells
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`
    )
    .join('')
}

/** `2026-11-20 04:57:31`, UTC. */
const seconds = (at: number): string => new Date(at).toISOString().slice(0, 19).replace('T', ' ')
