"""OneRoster packages as a student system would write them."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

WHOLE: Mapping[str, str] = {
    "manifest.csv": "propertyName,value\noneroster.version,1.2\nsource.systemName,Demo SIS\n"
    "file.users,bulk\nfile.roles,bulk\n",
    "orgs.csv": "sourcedId,status,name,type,parentSourcedId\n"
    "dep,,Computing,department,uni\nuni,,Demo University,university,\n",
    "academicSessions.csv": "sourcedId,title,type,startDate,endDate\n"
    "t1,One,term,2026-02-01,2026-06-30\nt2,Two,term,2026-08-01,2026-12-15\n",
    "courses.csv": "sourcedId,title,courseCode,orgSourcedId\nC1,Programming,CS1,dep\n",
    "classes.csv": "sourcedId,title,classCode,courseSourcedId,termSourcedIds\n"
    'K1,Monday,P-1,C1,t1\nK2,Tuesday,,C1,"t1,t2"\n',
    "roles.csv": "sourcedId,userSourcedId,role\nr1,U1,student\nr2,U2,teacher\nr3,U2,Student\n",
    "demographics.csv": "sourcedId,birthDate\nU1,2001-02-03\nU2,2000-01-01\n",
    "users.csv": "sourcedId,givenName,middleName,familyName,email,username,password\n"
    "U1,Ada,,Example,ada@example.org,ada,s3cret\nU2,Béla,B.,Example,,bela@example.org,s3cret\n"
    "U3,Carl,,Example,carl@example.org,,s3cret\n",
    "enrollments.csv": "sourcedId,classSourcedId,userSourcedId,role,beginDate\n"
    "E1,K1,U1,student,2026-02-02\nE2,K2,U1,student,\nE3,K1,U2,teacher,\n",
}


def write_folder(folder: Path, **changes: str | None) -> Path:
    """Write the whole package with some files changed or, for None, left out."""
    folder.mkdir(exist_ok=True)
    for name, text in WHOLE.items():
        changed = changes.get(name.removesuffix(".csv"), text)
        if changed is not None:
            (folder / name).write_text(changed, encoding="utf-8", newline="")
    return folder


def write_zip(path: Path, files: Mapping[str, bytes | str]) -> Path:
    """Write an archive that holds these files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path
