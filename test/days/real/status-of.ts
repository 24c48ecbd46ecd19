/** The status of a POST of JSON; 0: no answer. */
export async function statusOf(url: string, body: string): Promise<number> {
  try {
    const response = await fetch(url, {method: 'POST', headers: {'content-type': 'application/json'}, body})
    await response.arrayBuffer()
    return response.status
  } catch {
    return 0
  }
}
