/** Node's own watcher of a folder, on the invented machine. */
import {basename, dirname} from 'node:path'
import {current, type FileListener} from '../simulated/machine.ts'

export function watch(folder: string, _: object, listener: (event: string, name: string) => void): object {
  const {machine} = current
  const hear: FileListener = path => {
    if (dirname(path) === folder)
      machine.clock.after(machine.random() * 5, () => {
        if (machine.fileListeners.has(hear)) listener('rename', basename(path))
      })
  }
  machine.fileListeners.add(hear)
  return {
    on() {
      return this
    },
    close: () => machine.fileListeners.delete(hear)
  }
}
