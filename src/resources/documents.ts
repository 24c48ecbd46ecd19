import {parseAllDocuments} from 'yaml'
import {readTextFile} from '../model/read-file.ts'

/**
 * The documents of a file of Dapr resources, as plain data; none where the text shows that they are of no interest. Of equal
 * keys the last counts, as in Go. Throws for what cannot be read or parsed, and for aliases that multiply without end.
 */
export function readDocuments(file: string, isWanted: (text: string) => boolean): readonly unknown[] {
  const text = readTextFile(file)
  if (!isWanted(text)) return []
  // a check for equal keys takes the square of their number; at the usual level the library prints by itself
  return parseAllDocuments(text, {uniqueKeys: false, logLevel: 'error'}).map(document => {
    const [error] = document.errors
    if (error !== undefined) throw new Error(error.message.split(':\n')[0])
    return document.toJS() as unknown
  })
}
