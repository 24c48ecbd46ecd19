/** Whether a status can be passed on: HTTP has those from 100 to 599 (RFC 9110 §15), and HTTP/2 carries no other. */
export const isValidStatus = (status: number): boolean => status >= 100 && status <= 599

/** What is wrong with the status of an answer's first line, '' where it has none or a valid one. */
export const statusFault = (text: string): string => {
  const status = /^HTTP\/\d\.\d +(-?\d+)(?:[ \r\n]|$)/.exec(text)?.[1]
  return status === undefined || isValidStatus(Number(status)) ? '' : `invalid HTTP status ${status.slice(0, 20)}`
}
