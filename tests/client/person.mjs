// The person in front of the README's program: loaded before it (--import), they get its first page, say what PERSON_SAYS,
// read what is to come, PERSON_READS, and close the window. Chromium is the one of the test, without a screen.
import {createRequire} from 'node:module';
import path from 'node:path';

const {PERSON_SAYS, PERSON_READS, ONE_BROWSER, ONE_CHROMIUM} = process.env;
const {chromium} = createRequire(path.resolve(ONE_BROWSER, 'node_modules', 'x.js'))('playwright-core');

async function use(page) {
    await page.locator('input').fill(PERSON_SAYS);
    await page.keyboard.press('Enter');
    await page.getByText(`> ${PERSON_SAYS}`).waitFor();
    await page.getByText(`< ${PERSON_READS}`).waitFor();
    await page.close();
}

const launch = chromium.launch.bind(chromium);
chromium.launch = async (options) => {
    const browser = await launch({...options, executablePath: ONE_CHROMIUM ?? options.executablePath, headless: true,
        chromiumSandbox: false});
    const newPage = browser.newPage.bind(browser);
    browser.newPage = async () => {
        const page = await newPage();
        use(page);
        return page;
    };
    return browser;
};
