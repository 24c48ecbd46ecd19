import type {GroupPartitionsAssigner} from '@platformatic/kafka'

export type Assignments = ReturnType<GroupPartitionsAssigner>
type Members = Parameters<GroupPartitionsAssigner>[1]

interface Assigned {
  readonly assignments: Assignments
  /** Topics without a known number of partitions: no member reads them yet. */
  readonly unknown: readonly string[]
}

/** Assigns the partitions of each topic to the group members that read it. The library assigns a partition to any member. */
export function assignPartitions(
  members: Members,
  topics: ReadonlySet<string>,
  countOf: (topic: string) => number | undefined,
  assignor: 'range' | 'roundrobin'
): Assigned {
  const assignments: Assignments = [...members.keys()].map(memberId => ({memberId, assignments: new Map()}))
  const all = new Set([...topics, ...[...members.values()].flatMap(member => member.topics ?? [])])
  const unknown: string[] = []
  for (const topic of all) {
    const count = countOf(topic)
    if (count === undefined) {
      unknown.push(topic)
      continue
    }
    const readers = assignments
      .filter(({memberId}) => members.get(memberId)?.topics?.includes(topic) !== false)
      .toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1))
    for (let partition = 0; partition < count; partition++) {
      const at = assignor === 'range' ? Math.floor((partition * readers.length) / count) : partition % readers.length
      const own = readers[at]?.assignments
      const known = own?.get(topic)
      if (known === undefined) own?.set(topic, {topic, partitions: [partition]})
      else known.partitions.push(partition)
    }
  }
  return {assignments, unknown}
}
