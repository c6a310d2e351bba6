import type { Page } from "@playwright/test";
import { join } from "node:path";

/** Names the folder that pictures of the screens are kept in, for `npm run screenshots`; tests alone take none. */
export const PICTURES = "KEYSTONE_PICTURES";

/** A picture of the window as it stands, NAME-WIDTH.jpg in the folder that {@link PICTURES} names, where it names one. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  const folder = process.env[PICTURES];
  if (folder === undefined) return;
  const { width } = page.viewportSize() ?? { width: 0 };
  await settle(page);
  await hidePlace(page);
  const file = `${name}-${width}.jpg`;
  await page.screenshot({ path: join(folder, file), type: "jpeg", quality: 60 });
  console.log(file);
}

/** Charts that were laid out for another width are drawn again, and nothing is pointed at. */
export async function settle(page: Page): Promise<void> {
  await page.mouse.move(0, 0);
  await page.waitForTimeout(1200);
}

/** Where the program lies on the machine that takes the pictures is no part of them. */
export async function hidePlace(page: Page): Promise<void> {
  const root = JSON.stringify(join(import.meta.dirname, "../.."));
  await page.evaluate(`{
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text !== null; text = texts.nextNode())
      if (text.nodeValue.includes(${root})) text.nodeValue = text.nodeValue.replaceAll(${root}, "/opt/keystone");
  }`);
}
