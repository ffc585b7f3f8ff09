/** `npm run bench:report`: a page with charts of what `bench/results/` holds, and the table in the README. */
import { readFileSync, writeFileSync } from 'node:fs'
import { repositoryPath } from '../peers/repository.js'
import { reportPage } from './page.js'
import { readmeTable, withTable } from './readme-table.js'
import { readSavedResults } from './saved-results.js'

const folder = repositoryPath('bench/results')
const page = repositoryPath('bench/results/report.html')
const readme = repositoryPath('README.md')

const { newest, leftOut } = readSavedResults(folder)
const table = readmeTable(newest)
writeFileSync(page, reportPage(newest))
writeFileSync(readme, withTable(readFileSync(readme, 'utf8'), table))
process.stdout.write(`${[...leftOut, '', table, '', `Written: ${page}, ${readme}`].join('\n')}\n`)
