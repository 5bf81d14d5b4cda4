"""``python -m workbench.start serve``: Panel's own command; while it imports, nothing looks for garbage.

That would be an eighth of the time, for there is none. ``workbench.exporter`` begins with it once all is imported.
"""

import gc

if __name__ == "__main__":
    gc.disable()
    from panel.command import main

    main()
