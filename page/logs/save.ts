import {saveFile} from '../parts/save-file.ts'
import {api} from '../state/api.ts'

/** Downloads the log lines that the run keeps, of these apps, or of all if there are none. Throws an ApiError. */
export async function save(apps: readonly string[]): Promise<void> {
  const {response} = await api.open('GET /logs', {
    query: new URLSearchParams([['version', '*'], ...apps.map(id => ['app', id])])
  })
  saveFile(`${apps.length === 1 ? (apps[0] ?? '') : 'apps'}.log`, await response.blob())
}
