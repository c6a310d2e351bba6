import type { MenuItemConstructorOptions } from "electron";

/** A menu's entry: what the template said, its submenu built, and a click as a person makes it. */
export class MenuItem {
  readonly label: string;
  readonly role: string | undefined;
  readonly accelerator: string | undefined;
  readonly enabled: boolean;
  readonly submenu: Menu | undefined;
  readonly #click: MenuItemConstructorOptions["click"];

  constructor(options: MenuItemConstructorOptions) {
    this.label = options.label ?? "";
    this.role = options.role;
    this.accelerator = options.accelerator ?? undefined;
    this.enabled = options.enabled ?? true;
    this.submenu = Array.isArray(options.submenu) ? Menu.buildFromTemplate(options.submenu) : undefined;
    this.#click = options.click;
  }

  click(): void {
    if (this.enabled) this.#click?.(this as never, undefined, {});
  }
}

let shown: Menu | null = null;

export class Menu {
  readonly items: readonly MenuItem[];

  constructor(items: readonly MenuItem[]) {
    this.items = items;
  }
  static buildFromTemplate(template: readonly MenuItemConstructorOptions[]): Menu {
    return new Menu(template.map((options) => new MenuItem(options)));
  }
  static setApplicationMenu(menu: Menu | null): void {
    shown = menu;
  }
  static getApplicationMenu(): Menu | null {
    return shown;
  }
}
