import {api} from '../state/api.ts'

/** Lets the browser save the lines that the run keeps: of these apps, without any of all. Throws an ApiError. */
export async function save(apps: readonly string[]): Promise<void> {
  const query = new URLSearchParams(apps.map(id => ['app', id]))
  const {response} = await api.open('GET /logs', {query})
  const url = URL.createObjectURL(await response.blob())
  const link = document.createElement('a')
  link.href = url
  link.download = `${apps.length === 1 ? (apps[0] ?? '') : 'apps'}.log`
  link.click()
  URL.revokeObjectURL(url)
}
