/** Unit tests cover the file of the same name; the others cover nothing by themselves. */
export default (test: string): string | null =>
  test.startsWith('test/unit/') ? test.replace('test/unit/', 'src/').replace('.test.ts', '.ts') : null
