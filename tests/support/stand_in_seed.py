"""What the demo data leaves in the data folder: the API key and the sign-in links."""

import json
import os
from pathlib import Path

from deploy.local.data_folder import write_privately

if __name__ == "__main__":
    folder = Path(os.environ["DATA_DIR"])
    write_privately(folder / "coordinator-api-key", "the-key\n")
    link = {"role": "teacher", "name": "Tara Tafel", "url": f"{os.environ['PUBLIC_URL']}/outreach/sign-in/link?token=1"}
    write_privately(folder / "sign-in-links.json", json.dumps([link]))
