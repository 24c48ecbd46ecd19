import {readdir} from 'node:fs/promises'
import {join} from 'node:path'
import {orElse} from '../../model/or-else.ts'
import {openFilter} from '../../files/watcher/app-filter.ts'
import {readTextFile} from '../../model/read-file.ts'
import type {WatchFilter} from '../../model/watch-filter.ts'
import type {AppPlan, Plan} from '../../model/plan.ts'
import {ok, fail, type Check} from './check.ts'

/** Share of the limit that a run may use: editors and other programs of the user have the same limit. */
const OUR_SHARE = 0.5

/** Checks whether the system lets us follow all files of the watched apps (inotify(7)). Returns an empty list without such a limit. */
export async function checkWatches({apps}: Plan): Promise<readonly Check[]> {
  const watched = apps.filter(({watch, command}) => watch.paths.length > 0 && command.length > 0)
  const limit = orElse(() => Number(readTextFile('/proc/sys/fs/inotify/max_user_watches')), undefined) // only Linux has it
  if (watched.length === 0 || limit === undefined) return []
  const counts = await Promise.all(watched.map(countPaths))
  const sum = counts.reduce((all, count) => all + count, 0)
  if (sum <= limit * OUR_SHARE) return [ok(`${sum} files and folders are watched, of ${limit}`)]
  const [largest] = watched.toSorted((a, b) => (counts[watched.indexOf(b)] ?? 0) - (counts[watched.indexOf(a)] ?? 0))
  return [
    fail(
      `${sum} files and folders are to be watched, most of them for "${largest?.id ?? ''}"; the system allows ${limit} to all your programs together`,
      `Name fewer in watch.paths, or more in watch.ignore, or: sudo sysctl fs.inotify.max_user_watches=${sum * 4}`
    )
  ]
}

/** Counts the paths to watch for an app: the files whose change reloads the app, and all folders that are not excluded. */
async function countPaths({folder, watch}: AppPlan): Promise<number> {
  const filter = openFilter(watch, folder)
  const counts = await Promise.all(filter.roots.map(async root => countIn(root, filter)))
  return counts.reduce((all, count) => all + count, 0)
}

async function countIn(folder: string, filter: WatchFilter): Promise<number> {
  let count = 1
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name)
    if (!entry.isDirectory()) count += filter.counts(path) ? 1 : 0
    else if (!filter.isPruned(path)) count += await countIn(path, filter)
  }
  return count
}

async function entriesOf(path: string) {
  try {
    return await readdir(path, {withFileTypes: true})
  } catch {
    return [] // without permission to read this folder, the run cannot watch it either
  }
}
