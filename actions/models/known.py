import os
from actions.session import Session
from console.models.disk import model_roots
from console.models.inventory.found import FoundFile


def known_files(session: Session) -> tuple[FoundFile, ...]:
    found = []
    for root in model_roots(session.settings.paths):
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                try:
                    st = os.stat(path)
                except OSError:
                    continue
                found.append(
                    FoundFile(
                        path=path,
                        root=str(root),
                        folder="",
                        format="other",
                        size=st.st_size,
                        device=st.st_dev,
                        inode=st.st_ino,
                    )
                )
    return tuple(found)
