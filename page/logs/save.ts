import {saveFile} from '../parts/save-file.ts'
import {api} from '../state/api.ts'

/** Lets the browser save the lines that the run keeps: of these apps, without any of all. Throws an ApiError. */
export async function save(apps: readonly string[]): Promise<void> {
  const {response} = await api.open('GET /logs', {query: new URLSearchParams(apps.map(id => ['app', id]))})
  saveFile(`${apps.length === 1 ? (apps[0] ?? '') : 'apps'}.log`, await response.blob())
}
